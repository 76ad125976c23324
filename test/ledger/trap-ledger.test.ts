import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTrapLedger, readTrapLedger, trapLedgerPath } from '../../src/ledger/trap-ledger.ts';
import type { TrapEvent } from '../../src/traps/events.ts';
import { temporaryDirectory } from './records.ts';

const now = new Date('2026-03-10T12:00:00.000Z');
const open = (directory: string, waitMilliseconds = 0) =>
  openTrapLedger(directory, { now, waitMilliseconds });

function rotated(day: number): TrapEvent {
  const period = `2026-03-${String(day).padStart(2, '0')}`;
  return { event: 'rotated', at: now.toISOString(), period, built: day, retired: 0 };
}

async function ledgerOf(days: readonly number[], directory = temporaryDirectory()) {
  const ledger = await open(directory);
  for (const day of days) await ledger.append([rotated(day)]);
  await ledger.close();
  return { directory, path: trapLedgerPath(directory) };
}

describe('a trap ledger', () => {
  it('is empty before its first event, and keeps events in order over openings', async () => {
    const directory = temporaryDirectory();
    expect(await readTrapLedger(directory)).toMatchObject({ events: [], head: { size: 0 } });
    const { path } = await ledgerOf([1, 2], directory);
    await ledgerOf([3], directory);
    expect((await readTrapLedger(directory)).events).toEqual([1, 2, 3].map(rotated));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('writes events whose fields come in any order, and never one that it could not read', async () => {
    const { directory } = await ledgerOf([1]);
    const ledger = await open(directory);
    const shuffled: TrapEvent = {
      retired: 0,
      period: '2026-03-02',
      built: 2,
      at: now.toISOString(),
      event: 'rotated',
    };
    await ledger.append([shuffled]);
    await expect(ledger.append([{ ...shuffled, built: Number.NaN }])).rejects.toThrow();
    await ledger.close();
    expect((await readTrapLedger(directory)).events).toEqual([rotated(1), rotated(2)]);
  });

  it('finds the change of any one byte, and names file and line', async () => {
    const { directory, path } = await ledgerOf([1, 2, 3]);
    const text = readFileSync(path);
    const ends = [...text.entries()].filter(([, byte]) => byte === 0x0a).map(([index]) => index);
    for (let index = 0; index < text.length; index += 1) {
      const edited = Buffer.from(text);
      edited[index] = edited[index]! ^ 1;
      writeFileSync(path, edited);
      const line = ends.findIndex((end) => index <= end) + 1;
      if (index === text.length - 1) continue; // without its end, the last line is unfinished
      await expect(readTrapLedger(directory)).rejects.toMatchObject({
        code: 'LOG_INVALID',
        message: expect.stringContaining(`${path}:${line}:`),
      });
    }
  });

  it('finds lines that are missing, doubled or exchanged', async () => {
    const { directory, path } = await ledgerOf([1, 2, 3]);
    const [one, two, three] = readFileSync(path, 'utf8').trimEnd().split('\n');
    for (const lines of [
      [two, three],
      [one, three],
      [one, one, two, three],
      [two, one, three],
    ]) {
      writeFileSync(path, `${lines.join('\n')}\n`);
      await expect(readTrapLedger(directory)).rejects.toMatchObject({ code: 'LOG_INVALID' });
      await expect(open(directory)).rejects.toMatchObject({ code: 'LOG_INVALID' });
    }
    writeFileSync(path, `${[one, two, three].join('\n')}\n`);
    await ledgerOf([4], directory);
    expect((await readTrapLedger(directory)).events).toHaveLength(4);
  });

  it('leaves out a last line cut at any byte, and goes on in its place', async () => {
    const { directory, path } = await ledgerOf([1, 2]);
    const whole = readFileSync(path);
    const firstEnd = whole.indexOf(0x0a) + 1;
    for (let size = firstEnd; size < whole.length; size += 7) {
      writeFileSync(path, whole);
      truncateSync(path, size);
      expect((await readTrapLedger(directory)).events).toEqual([rotated(1)]);
    }
    await ledgerOf([9], directory);
    expect((await readTrapLedger(directory)).events).toEqual([rotated(1), rotated(9)]);
  });

  it('refuses events of a newer version by line', async () => {
    const { directory, path } = await ledgerOf([1]);
    appendFileSync(path, '{"sequence":1,"event":{"event":"teleported"}}\n');
    const message = expect.stringContaining(`${path}:2: this line is no event`);
    await expect(readTrapLedger(directory)).rejects.toMatchObject({ code: 'LOG_INVALID', message });
  });

  it('has one writer at a time: a second waits, or leaves naming the first', async () => {
    const { directory } = await ledgerOf([1]);
    const first = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringMatching(`stock of traps .* in use by process ${process.pid} on`),
    });
    const second = open(directory, 10_000);
    await first.append([rotated(2)]);
    await first.close();
    await (await second).append([rotated(3)]);
    await (await second).close();
    expect((await readTrapLedger(directory)).events).toEqual([1, 2, 3].map(rotated));
  });
});
