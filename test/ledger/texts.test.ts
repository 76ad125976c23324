import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/ledger/payload.ts';
import { readAllRecords } from '../../src/ledger/read-all.ts';
import { readAnswers, readServedTexts, readServingLog } from '../../src/ledger/read-log.ts';
import { scanServingLog } from '../../src/ledger/scan-log.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { decodeText, encodeText } from '../../src/ledger/text-payload.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { collect, recordOf, temporaryDirectory, textOf } from './records.ts';

describe('text answers', () => {
  it('come back beside records, each kind to its readers', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append([recordOf(1), textOf(2), textOf(3, 'acme', 'e2')]);
    await log.append([textOf(4, 'bolt'), recordOf(5, 'bolt')]);
    await log.close();
    const texts = await collect(readServedTexts(directory, { tenant: 'acme' }));
    expect(texts).toEqual([
      { ...textOf(2), sequence: 1 },
      { ...textOf(3, 'acme', 'e2'), sequence: 2 },
    ]);
    const later = readServedTexts(directory, { tenant: 'acme', epoch: 'e2' });
    expect(await collect(later)).toEqual(texts.slice(1));
    const record = { ...recordOf(1), sequence: 0 };
    expect(await collect(readServingLog(directory, { tenant: 'acme' }))).toEqual([record]);
    expect(await collect(readAnswers(directory, { tenant: 'acme' }))).toEqual([record, ...texts]);
    const all = (await collect(readAllRecords(directory))).map(({ sequence }) => sequence);
    expect(all).toEqual([0, 4]);
    const scanned: number[] = [];
    await scanServingLog(directory, ({ sequence }) => scanned.push(sequence));
    expect(scanned).toEqual(all);
    expect(await verifyServingLog(directory)).toMatchObject({ records: 5, problems: [] });
  });

  it('are told apart by their schema, and refused when malformed', () => {
    expect(decodeText(encodeText(textOf(2)), 7)).toEqual({ ...textOf(2), sequence: 7 });
    expect(() => decodeText(encodeRecord(recordOf(1)), 7)).toThrow(
      /Record 7 .*touchmark\/served-text@1: schema/,
    );
    const odd = encodeText(textOf(2)).toString().replace('"drafts"', '"draughts"');
    expect(() => decodeText(Buffer.from(odd), 7)).toThrow(/marks/);
  });
});
