import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eraseTenant } from '../../src/ledger/erase.ts';
import { tenantHash } from '../../src/ledger/layout.ts';
import { readAllRecords } from '../../src/ledger/read-all.ts';
import { readServingLog } from '../../src/ledger/read-log.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { collect, recordOf, recordsOf, temporaryDirectory } from './records.ts';

/** Gives a log of acme and bolt, served in turn, the layout of versions 1 and 2: a folder for each. */
async function oldLog(version: 1 | 2): Promise<string> {
  const directory = temporaryDirectory();
  const log = await openServingLog(directory, { segmentRecords: 4 });
  for (const number of [0, 1, 2, 3, 4, 5]) {
    await log.append([recordOf(number, number % 2 === 0 ? 'acme' : 'bolt')]);
  }
  await log.close();
  const payloads = join(directory, 'payloads');
  for (const name of readdirSync(payloads)) {
    const lines = readFileSync(join(payloads, name), 'utf8').split('\n').slice(0, -1);
    for (const [index, tenant] of ['acme', 'bolt'].entries()) {
      const folder = join(payloads, tenantHash(tenant));
      mkdirSync(folder, { recursive: true });
      const own = lines.filter((_, place) => place % 2 === index);
      writeFileSync(join(folder, name), own.map((line) => `${line}\n`).join(''));
    }
    rmSync(join(payloads, name));
  }
  const header = join(directory, 'log.json');
  const text = readFileSync(header, 'utf8');
  writeFileSync(header, text.replace('serving-log@3', `serving-log@${version}`));
  return directory;
}

const sequencesOf = async (directory: string, tenant: string) =>
  (await collect(readServingLog(directory, { tenant }))).map(({ sequence }) => sequence);

describe('logs with a folder for each tenant', () => {
  it.each([
    1, 2,
  ] as const)('are read in version %i as they are, and continued as version 3', async (version) => {
    const directory = await oldLog(version);
    expect(await verifyServingLog(directory)).toMatchObject({
      tenants: { acme: 3, bolt: 3 },
      problems: [],
    });
    expect(await sequencesOf(directory, 'bolt')).toEqual([1, 3, 5]);
    const log = await openServingLog(directory, { segmentRecords: 4 });
    expect(log.recovery).toEqual({ trimmedBytes: 0, droppedPayloads: 0, missingPayloads: [] });
    for (const record of recordsOf(4, 'bolt')) await log.append([record]);
    await log.close();
    expect(readFileSync(join(directory, 'log.json'), 'utf8')).toContain('serving-log@3');
    expect(await verifyServingLog(directory)).toMatchObject({ records: 10, problems: [] });
    expect(await sequencesOf(directory, 'bolt')).toEqual([1, 3, 5, 6, 7, 8, 9]);
    const all = await collect(readAllRecords(directory));
    expect(all.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('are mended and erased in both layouts', async () => {
    const directory = await oldLog(2);
    const folder = join(directory, 'payloads', tenantHash('acme'));
    const last = join(folder, '00000002.jsonl');
    const text = readFileSync(last, 'utf8');
    writeFileSync(last, `${text}${text.replace('"sequence":4', '"sequence":6')}{"seq`);
    const log = await openServingLog(directory);
    expect(log.recovery).toMatchObject({ trimmedBytes: 5, droppedPayloads: 1 });
    await log.append([recordOf(9)]);
    await log.close();
    expect(await sequencesOf(directory, 'acme')).toEqual([0, 2, 4, 6]);
    const copy = temporaryDirectory();
    cpSync(directory, copy, { recursive: true });
    writeFileSync(join(copy, 'payloads', tenantHash('acme'), '00000001.jsonl'), '');
    const [problem] = (await verifyServingLog(copy)).problems;
    expect(problem?.message).toMatch(/line 1 \(record 0\) has no payload, nor have 1 after it/);
    await eraseTenant(directory, 'acme', new Date());
    expect(readdirSync(join(directory, 'payloads'))).not.toContain(tenantHash('acme'));
    expect(await verifyServingLog(directory)).toMatchObject({ tenants: { bolt: 3 }, problems: [] });
  });
});
