import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { proveEntries } from '../../src/ledger/log-proofs.ts';
import { pruneServingLog } from '../../src/ledger/prune.ts';
import { readChain, readServingLog } from '../../src/ledger/read-log.ts';
import { openServingLog, type ServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { collect, recordOf, temporaryDirectory } from './records.ts';

const day = 86_400_000;
const start = Date.parse('2026-03-01T12:00:00.000Z');

/** A clock that stands still until it is set, in days after the start. */
function clockOf(): { readonly clock: () => Date; days: number } {
  const self = { days: 0, clock: () => new Date(start + self.days * day) };
  return self;
}

const payloadsOf = (directory: string) =>
  readdirSync(join(directory, 'payloads')).map((name) => Number(name.slice(0, 8)));
const sequencesOf = async (directory: string, tenant = 'acme') =>
  (await collect(readServingLog(directory, { tenant }))).map(({ sequence }) => sequence);

async function appendDaily(log: ServingLog, clock: { days: number }, days: readonly number[]) {
  for (const number of days) {
    clock.days = number;
    await log.append([recordOf(number), recordOf(number, 'bolt')]);
  }
}

describe('segments', () => {
  it('begin with a day, at so many records and at so many bytes, and never earlier', async () => {
    const directory = temporaryDirectory();
    const time = clockOf();
    const log = await openServingLog(directory, { ...time, segmentRecords: 4 });
    await appendDaily(log, time, [0, 0.1, 0.2, 1, 1.1]);
    expect(payloadsOf(directory)).toEqual([1, 2, 3]);
    await log.close();
    const again = await openServingLog(directory, { ...time, segmentBytes: 1 });
    await again.append([recordOf(8)]);
    await again.append([recordOf(9)]);
    await again.close();
    expect(payloadsOf(directory)).toEqual([1, 2, 3, 4, 5]);
    const report = await verifyServingLog(directory);
    expect(report).toMatchObject({ records: 12, problems: [] });
  });

  it('and times do not go back when the clock does', async () => {
    const directory = temporaryDirectory();
    const time = clockOf();
    const log = await openServingLog(directory, time);
    await appendDaily(log, time, [2, 0, -40, 1, 2.1]);
    await log.close();
    time.days = -1;
    const again = await openServingLog(directory, { ...time, retentionDays: 1 });
    await again.append([recordOf(7)]);
    await again.close();
    const { entries } = await readChain(directory);
    const days = entries.map(({ at }) => (Date.parse(at) - start) / day);
    expect(days).toEqual([...Array(8).fill(2), 2.1, 2.1, 2.1]);
    expect(payloadsOf(directory)).toEqual([1]);
    expect(await verifyServingLog(directory)).toMatchObject({ records: 11, problems: [] });
  });
});

describe('retention', () => {
  it('removes payloads by age when a segment begins, and says so in the chain first', async () => {
    const directory = temporaryDirectory();
    const time = clockOf();
    const log = await openServingLog(directory, { ...time, retentionDays: 2 });
    await appendDaily(log, time, [0, 1, 2]);
    expect(payloadsOf(directory)).toEqual([1, 2, 3]);
    await appendDaily(log, time, [3.5]);
    expect(payloadsOf(directory)).toEqual([3, 4]);
    expect(await sequencesOf(directory)).toEqual([4, 7]);
    await log.close();
    const report = await verifyServingLog(directory);
    expect(report).toMatchObject({
      records: 8,
      tenants: { acme: 4, bolt: 4 },
      expired: { records: 4, through: 3 },
      problems: [],
    });
    const { entries } = await readChain(directory);
    expect(entries[6]).toMatchObject({ kind: 'expired', through: 3, records: 4 });
    expect(proveEntries(entries, [0, 6]).proven).toHaveLength(2);
  });

  it('is caught up with at opening, also where a crash came between note and removal', async () => {
    const directory = temporaryDirectory();
    const time = clockOf();
    const log = await openServingLog(directory, time);
    await appendDaily(log, time, [0, 1, 2]);
    await log.close();
    const copy = temporaryDirectory();
    cpSync(directory, copy, { recursive: true });
    time.days = 30;
    await (await openServingLog(directory, { ...time, retentionDays: 7 })).close();
    expect(payloadsOf(directory)).toEqual([4]);
    expect(await sequencesOf(directory)).toEqual([]);
    time.days = 60;
    const idle = await openServingLog(directory, { ...time, retentionDays: 7 });
    await idle.close();
    expect(idle.count).toBe(7);
    cpSync(join(copy, 'payloads'), join(directory, 'payloads'), { recursive: true });
    await (await openServingLog(directory, time)).close();
    expect(payloadsOf(directory)).toEqual([4]);
    expect(await verifyServingLog(directory)).toMatchObject({
      expired: { records: 6, through: 5 },
      problems: [],
    });
  });

  it('does not excuse payloads that are missing otherwise, nor a false count', async () => {
    const directory = temporaryDirectory();
    const time = clockOf();
    const log = await openServingLog(directory, { ...time, retentionDays: 1 });
    await appendDaily(log, time, [0, 1.9, 2.6]);
    await log.close();
    expect(payloadsOf(directory)).toEqual([2, 3]);
    rmSync(join(directory, 'payloads', '00000002.jsonl'));
    const [problem] = (await verifyServingLog(directory)).problems;
    expect(problem?.message).toMatch(
      /00000002.jsonl, line 2 \(record 3\) has no payload, nor have 1/,
    );
    await expect(sequencesOf(directory)).rejects.toThrow(/Record 3 .* has lost its payload/);
    const segment = join(directory, 'segments', '00000002.jsonl');
    const text = readFileSync(segment, 'utf8');
    writeFileSync(segment, text.replace('"through":1', '"through":3'));
    await expect(sequencesOf(directory)).rejects.toMatchObject({ code: 'LOG_INVALID' });
    const { problems } = await verifyServingLog(directory);
    expect(problems.at(-1)?.message).toMatch(/00000002.jsonl, line 1 does not have the hash/);
  });

  it('can be had by hand', async () => {
    const directory = temporaryDirectory();
    const time = clockOf();
    const log = await openServingLog(directory, time);
    await appendDaily(log, time, [0, 1]);
    const before = new Date(start + 0.5 * day);
    await expect(pruneServingLog(directory, { before })).rejects.toMatchObject({
      code: 'STORE_LOCKED',
    });
    const [first, second] = await Promise.all([
      log.append([recordOf(5)]),
      log.expire(before),
      log.append([recordOf(6)]),
    ]);
    expect([first, second]).toEqual([[4], { records: 2, segments: 1, through: 1 }]);
    await log.close();
    expect(await pruneServingLog(directory, { before })).toEqual({ records: 0, segments: 0 });
    const all = { records: 4, segments: 1, through: 6 };
    expect(await pruneServingLog(directory, { before: new Date(start + 2 * day) })).toEqual(all);
    expect(payloadsOf(directory)).toEqual([3]);
    expect(await verifyServingLog(directory)).toMatchObject({
      expired: { records: 6, through: 6 },
      problems: [],
    });
    expect(existsSync(join(directory, 'keys'))).toBe(true);
    await expect(pruneServingLog(temporaryDirectory(), { before })).rejects.toMatchObject({
      code: 'LOG_INVALID',
    });
  });
});
