import { appendFileSync, mkdirSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { trapLedgerPath } from '../../../src/ledger/trap-ledger.ts';
import type { Rotation } from '../../../src/operations/traps/rotation-report.ts';
import { parseCron, scheduleRotations } from '../../../src/operations/traps/schedule.ts';
import { readTrapStock, trapFolders } from '../../../src/operations/traps/stock.ts';
import { StockWriter } from '../../../src/operations/traps/stock-writer.ts';
import { tinyProject } from '../tiny-project.ts';

const RealDate = Date;

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Lets the clock show another time, and go on from there. */
function setClock(time: string): void {
  const offset = RealDate.parse(time) - performance.timeOrigin - performance.now();
  class Shifted extends RealDate {
    constructor(...given: unknown[]) {
      if (given.length === 0) super(Shifted.now());
      else super(...(given as [number]));
    }
    static override now(): number {
      return performance.timeOrigin + performance.now() + offset;
    }
  }
  vi.stubGlobal('Date', Shifted);
}

function start(configPath: string, cron = '0 3 * * *') {
  const stop = new AbortController();
  const rotations: Rotation['report'][] = [];
  const failures: unknown[] = [];
  const waiting: Date[] = [];
  const done = scheduleRotations({
    configPath,
    cron,
    signal: stop.signal,
    progress: () => undefined,
    onWaiting: (next) => waiting.push(next),
    onRotation: ({ report }) => rotations.push(report),
    onFailure: (error) => failures.push(error),
  });
  const isWaiting = () => vi.waitUntil(() => waiting.length > 0, { timeout: 10_000 });
  return { stop, rotations, failures, waiting, done, isWaiting };
}

describe('parseCron', () => {
  it('is due once on days on which summer time begins or ends, for times that do not exist or twice', () => {
    const job = parseCron('30 2 * * *', 'Europe/Berlin');
    const runs = (from: string) => job.nextRuns(3, new Date(from)).map((run) => run.toISOString());
    expect(runs('2026-03-28T00:00:00Z')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    expect(runs('2026-10-24T00:00:00Z')).toEqual([
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  it('refuses what is no schedule, or never due', () => {
    for (const pattern of ['every day', '0 3 * *', '61 * * * *', '* * * * * *', '0 0 30 2 *']) {
      expect(() => parseCron(pattern, 'UTC')).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  });
});

describe('scheduleRotations', () => {
  it('rotates at once when none was made since the last time that was due, else at the next', async () => {
    const { configPath, directory } = await tinyProject();
    setClock('2026-03-10T12:00:00Z');
    const first = start(configPath);
    await first.isWaiting();
    expect(first.rotations).toMatchObject([{ period: '2026-03-10', status: 'rotated' }]);
    expect(first.waiting[0]?.toISOString()).toBe('2026-03-11T03:00:00.000Z');
    first.stop.abort();
    await first.done;

    setClock('2026-03-11T02:59:58.500Z');
    const second = start(configPath);
    await second.isWaiting();
    expect(second.rotations).toEqual([]);
    await vi.waitUntil(() => second.rotations.length > 0, { timeout: 10_000 });
    expect(second.rotations).toMatchObject([{ period: '2026-03-11', status: 'rotated' }]);
    second.stop.abort();
    await second.done;

    setClock('2026-03-14T01:00:00Z');
    const third = start(configPath);
    await third.isWaiting();
    expect(third.rotations).toMatchObject([{ period: '2026-03-14', status: 'rotated' }]);
    third.stop.abort();
    await third.done;
    expect((await readTrapStock({ directory })).lastRotation?.period).toBe('2026-03-14');
  });

  it('has one runner at a time', async () => {
    const { configPath } = await tinyProject();
    const first = start(configPath);
    await first.isWaiting();
    await expect(start(configPath).done).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringMatching(`schedule of rotations .* process ${process.pid} on`),
    });
    first.stop.abort();
    await first.done;
    const next = start(configPath);
    await next.isWaiting();
    next.stop.abort();
    await next.done;
  });

  it('tells a rotation that fails, and goes on', async () => {
    const { configPath, directory } = await tinyProject();
    const { ledger } = trapFolders({ directory });
    mkdirSync(ledger, { recursive: true });
    appendFileSync(trapLedgerPath(ledger), 'not a line of it\n');
    const runner = start(configPath);
    await runner.isWaiting();
    expect(runner.failures).toMatchObject([{ code: 'LOG_INVALID' }]);
    runner.stop.abort();
    await runner.done;
  });

  it('finishes the rotation under way when it is stopped', async () => {
    const { configPath, directory } = await tinyProject();
    const writer = await StockWriter.open({ directory }, new Date());
    const runner = start(configPath);
    await new Promise((resolve) => setTimeout(resolve, 300));
    runner.stop.abort();
    expect(runner.rotations).toEqual([]);
    await writer.close();
    await runner.done;
    expect(runner.rotations).toMatchObject([{ status: 'rotated' }]);
  });
});
