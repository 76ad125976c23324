import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eraseTenant } from '../../src/ledger/erase.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { collect, recordOf, recordsOf, temporaryDirectory } from './records.ts';

const servedAt = new Date('2026-02-01T00:00:00.000Z');
const now = new Date('2026-02-03T04:05:06.000Z');

async function logOfTwo(): Promise<string> {
  const directory = temporaryDirectory();
  const log = await openServingLog(directory, { clock: () => servedAt });
  await log.append([...recordsOf(3), ...recordsOf(2, 'bolt')]);
  await log.close();
  return directory;
}

describe('erasure', () => {
  it('destroys the key of a tenant, keeps the others, and the chain still verifies', async () => {
    const directory = await logOfTwo();
    expect(await eraseTenant(directory, 'acme', now)).toBe(3);
    expect(await verifyServingLog(directory)).toMatchObject({
      records: 5,
      tenants: { bolt: 2 },
      erased: [{ at: now.toISOString(), records: 3 }],
      problems: [],
    });
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => /^keys.*key$/.test(name))).toHaveLength(1);
    for (const name of files.filter((each) => /json|key/.test(each) && each.includes('.'))) {
      expect(readFileSync(join(directory, name), 'utf8')).not.toContain('acme');
    }
    const log = await openServingLog(directory);
    expect(await collect(log.read({ tenant: 'bolt' }))).toHaveLength(2);
    expect(await log.append([recordOf(9)])).toEqual([6]);
    expect(await collect(log.read({ tenant: 'acme' }))).toEqual([{ ...recordOf(9), sequence: 6 }]);
    await log.close();
    expect((await verifyServingLog(directory)).problems).toEqual([]);
  });

  it('refuses an unknown tenant, a held log and a directory without log', async () => {
    const directory = await logOfTwo();
    await expect(eraseTenant(directory, 'nobody', now)).rejects.toMatchObject({
      code: 'TENANT_UNKNOWN',
      hint: expect.stringContaining('acme, bolt'),
    });
    const log = await openServingLog(directory);
    await expect(eraseTenant(directory, 'acme', now)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await log.close();
    await eraseTenant(directory, 'acme', now);
    await expect(eraseTenant(directory, 'acme', now)).rejects.toMatchObject({
      code: 'TENANT_UNKNOWN',
    });
    await expect(eraseTenant(temporaryDirectory(), 'acme', now)).rejects.toMatchObject({
      code: 'LOG_INVALID',
    });
  });

  it('is completed at the next opening when it was interrupted after its note', async () => {
    const directory = await logOfTwo();
    const copy = temporaryDirectory();
    cpSync(directory, copy, { recursive: true });
    await eraseTenant(directory, 'acme', now);
    cpSync(join(copy, 'keys'), join(directory, 'keys'), { recursive: true });
    const [problem] = (await verifyServingLog(directory)).problems;
    expect(problem?.message).toMatch(/erasure of 2026-02-03.* is not complete/);
    await (await openServingLog(directory)).close();
    expect(await verifyServingLog(directory)).toMatchObject({ tenants: { bolt: 2 }, problems: [] });
  });
});
