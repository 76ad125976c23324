import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Budget } from '../../src/audit/budget.ts';
import type { AuditMaterial } from '../../src/audit/material.ts';
import { Pace } from '../../src/audit/pace.ts';
import { replayTests } from '../../src/audit/replay.ts';
import type { Outcome } from '../../src/contracts.ts';
import { openRunAttempts } from '../../src/ledger/run-attempts.ts';
import { openRunLog, runLogPath } from '../../src/ledger/run-log.ts';
import {
  askByEngine,
  askPlainly,
  batchSize,
  concurrency,
  inDirectory,
  type Spent,
  timed,
  withSuspect,
} from './audit-engine/clients.ts';
import { labels, materialOf } from './audit-engine/material.ts';
import type { BenchRow } from './measure.ts';

const probes = 100_000;
/** The suspect's own time for one question. */
const milliseconds = 2;

/** What an audit costs beside the time that the suspect takes, and what it keeps in memory. */
export async function benchAuditEngine(): Promise<readonly BenchRow[]> {
  const material = materialOf(probes);
  return withSuspect(milliseconds, async (address) => {
    const before = await timed(() => askPlainly(address, material));
    const sizes: Sizes = [[], [], [], []];
    const engine = await timed(() =>
      askByEngine(address, material, ({ answered }) => {
        sizes[Math.min(3, Math.floor((4 * answered) / probes))]!.push(process.memoryUsage.rss());
      }),
    );
    const after = await timed(() => askPlainly(address, material));
    return [...timeRows([before, after], engine), sizeRow(sizes)];
  });
}

/** The same audit of a suspect that takes no time, the collector run at its quarters. */
export async function benchAuditMemory(): Promise<readonly BenchRow[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const material = materialOf(probes);
  const kept: { readonly answered: number; readonly used: number; readonly resident: number }[] =
    [];
  await withSuspect(0, (address) =>
    askByEngine(address, material, ({ answered }) => {
      if (answered < ((kept.length + 1) * probes) / 4) return;
      collect();
      const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
      kept.push({ answered, used: heapUsed + arrayBuffers, resident: rss });
    }),
  );
  const [first, last] = [kept[0]!, kept.at(-1)!];
  const row = (name: string, what: 'used' | 'resident', words: string): BenchRow => {
    const value = (last[what] - first[what]) / (last.answered - first.answered);
    return {
      name: `audit-engine/${name}`,
      value,
      unit: `bytes per answered probe of ${labels.length} labels`,
      ratio: last[what] / first[what] - 1,
      against: `${megabytes(first[what])} ${words} at the first quarter of ${probes} probes`,
    };
  };
  return [
    row('kept', 'used', 'in use'),
    row('resident', 'resident', 'resident, garbage collected at the quarters,'),
  ];
}

/** What the parts of the engine cost by themselves. */
export async function benchAuditParts(): Promise<readonly BenchRow[]> {
  const material = materialOf(probes);
  const known = new Map<string, Outcome>(answersFor(material));
  const replay = await timed(async () =>
    replayTests(material, ['labels', 'probabilities'], (id) => known.get(id)),
  );
  const [log, bare] = await timeLog([...known]);
  const pace = await timePace(probes / batchSize);
  const row = (name: string, seconds: number, other: number, against: string): BenchRow => ({
    name: `audit-engine/${name}`,
    value: microseconds(seconds, probes),
    unit: 'microseconds per probe',
    ratio: seconds / other,
    against,
  });
  return [
    row('tests', replay.processor, ownTime(probes), ownTimeSays),
    row('run log', log, bare, `bare writes and synchronisations of the same bytes`),
    row('budget and pace', pace, ownTime(probes), ownTimeSays),
  ];
}

type Sizes = readonly [number[], number[], number[], number[]];

const ownTimeSays = `the suspect's own time, ${milliseconds} ms a probe`;

function timeRows(plain: readonly Spent[], engine: Spent): BenchRow[] {
  const row = (name: string, unit: string, seconds: number): BenchRow => ({
    name: `audit-engine/${name}`,
    value: microseconds(seconds, probes),
    unit: `microseconds ${unit}`,
    ratio: seconds / ownTime(probes),
    against: ownTimeSays,
  });
  const plainWall = mean(plain.map(({ wall }) => wall));
  const plainProcessor = mean(plain.map(({ processor }) => processor));
  return [
    row(
      'overhead',
      `per probe over a plain client, ${concurrency} at once`,
      engine.wall - plainWall,
    ),
    row('HTTP and JSON', 'of processor per probe of a plain client', plainProcessor),
    row('processor', 'per probe, the plain client’s included', engine.processor),
  ];
}

function sizeRow(sizes: Sizes): BenchRow {
  const [second, last] = [mean(sizes[1]), mean(sizes[3])];
  return {
    name: 'audit-engine/uncollected',
    value: (last - second) / (probes / 2),
    unit: 'bytes per probe, from the second quarter to the last',
    ratio: (last - second) / second,
    against: `${megabytes(second)} resident in the second quarter`,
  };
}

function answersFor({ fresh, logged }: AuditMaterial): [string, Outcome][] {
  return [...fresh, ...logged].map(({ probe, baselines: [logs] }, index) => {
    const weights = Array.from(logs!, (value, k) => Math.exp(value + ((index + k) % 7) / 10));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const answer = { label: labels[index % 25]!, probabilities: weights.map((w) => w / sum) };
    return [probe.id, { answer }];
  });
}

/** Seconds for the run log and for a file, as many batches at once as an audit asks for. */
function timeLog(answers: readonly [string, Outcome][]): Promise<readonly [number, number]> {
  const entries = answers.map(([id, outcome]) => ({ probe: { id }, outcome }));
  const batches = Array.from({ length: Math.ceil(entries.length / batchSize) }, (_, index) =>
    entries.slice(index * batchSize, (index + 1) * batchSize),
  );
  return inDirectory(async (directory) => {
    const log = await openRunLog(directory, 'sha256:bench');
    const logged = await timed(() => inTurns(batches, (batch) => log.record(batch)));
    await log.close();
    const file = await open(runLogPath(directory), 'r');
    const { size } = await file.stat();
    await file.close();
    const chunk = Buffer.alloc(Math.ceil((size * concurrency) / batches.length), 1);
    const copy = await open(join(directory, 'bare'), 'a');
    const written = await timed(async () => {
      for (let at = 0; at < batches.length; at += concurrency) {
        await copy.write(chunk);
        await copy.datasync();
      }
    });
    await copy.close();
    return [logged.wall, written.wall] as const;
  });
}

async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>) {
  const left = items.values();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

/** Seconds that so many requests spend in what admits them and writes them down. */
function timePace(requests: number): Promise<number> {
  return inDirectory(async (directory) => {
    const journal = await openRunAttempts(directory);
    const pace = new Pace({ budget: new Budget({ requests: 1e9 }), journal });
    const { signal } = new AbortController();
    const answered = { status: 200, succeeded: true, throttled: false, tokens: 100 };
    const { wall } = await timed(() =>
      inTurns(Array.from({ length: requests }), async () => {
        await pace.ready(signal);
        pace.note({ ...answered, retryAfterMilliseconds: 0, milliseconds: 1, attempt: 1 });
      }),
    );
    await journal.close();
    return wall;
  });
}

function ownTime(count: number): number {
  return (count * milliseconds) / 1000;
}

function microseconds(seconds: number, count: number): number {
  return (1e6 * seconds) / count;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
