import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withheldSalt } from '../../src/ledger/batch.ts';
import { commitToPayload } from '../../src/ledger/chain.ts';
import { eraseTenant } from '../../src/ledger/erase.ts';
import { layoutOf } from '../../src/ledger/layout.ts';
import { encodeRecord } from '../../src/ledger/payload.ts';
import { readAnswers, readChain, requirePayloadKey } from '../../src/ledger/read-log.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { collect, recordOf, temporaryDirectory, textOf } from './records.ts';

describe('withheld payloads', () => {
  it('leave a commitment that the key and the answer open, and are not missed', async () => {
    const directory = temporaryDirectory();
    const keeps = (answer: { readonly servedAt: string }) => answer.servedAt.endsWith('1Z');
    const log = await openServingLog(directory, { keeps });
    await log.append([
      recordOf(0),
      recordOf(1),
      textOf(2),
      textOf(11, 'bolt'),
      recordOf(4, 'cole'),
    ]);
    await log.close();
    const { entries } = await readChain(directory);
    const kinds = entries.map(({ kind }) => kind);
    expect(kinds).toEqual(['withheld', 'served', 'withheld', 'served', 'withheld']);
    expect(await collect(readAnswers(directory, { tenant: 'acme' }))).toEqual([
      { ...recordOf(1), sequence: 1 },
    ]);
    expect(await collect(readAnswers(directory, { tenant: 'cole' }))).toEqual([]);
    expect(await verifyServingLog(directory)).toMatchObject({
      records: 2,
      withheld: 3,
      tenants: { acme: 1, bolt: 1, cole: 0 },
      problems: [],
    });
    const payloads = readFileSync(join(directory, 'payloads', '00000001.jsonl'), 'utf8');
    expect(payloads.split('\n')).toHaveLength(3);
    const key = await requirePayloadKey(layoutOf(directory), 'cole');
    const opened = commitToPayload(withheldSalt(key, 4), encodeRecord(recordOf(4, 'cole')));
    expect(entries[4]).toMatchObject({ tenantTag: key.tag, commitment: opened });
    expect(await eraseTenant(directory, 'cole', new Date())).toBe(0);
    expect(await verifyServingLog(directory)).toMatchObject({ withheld: 3, problems: [] });
  });
});
