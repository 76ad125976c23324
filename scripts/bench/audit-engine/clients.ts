import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { Agent, request } from 'undici';
import { Budget } from '../../../src/audit/budget.ts';
import { conductAudit } from '../../../src/audit/conduct.ts';
import type { AuditMaterial } from '../../../src/audit/material.ts';
import { Pace } from '../../../src/audit/pace.ts';
import { openRunAttempts } from '../../../src/ledger/run-attempts.ts';
import { type ChainedRunLog, openRunLog } from '../../../src/ledger/run-log.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import { labels } from './material.ts';

/** Questions in one request, and requests at once: what an audit comes to by default. */
export const batchSize = 64;
export const concurrency = 16;

/** What a way of asking took, in seconds. */
export interface Spent {
  readonly wall: number;
  /** Of this process, over all its threads. */
  readonly processor: number;
}

export async function timed(work: () => Promise<unknown>): Promise<Spent> {
  const [begun, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - begun) / 1000, processor: (user + system) / 1e6 };
}

/** Runs with a suspect that takes so long for each question. */
export async function withSuspect<Value>(
  millisecondsPerQuestion: number,
  use: (address: string) => Promise<Value>,
): Promise<Value> {
  const child = fork(new URL('./suspect.ts', import.meta.url), [`${millisecondsPerQuestion}`]);
  try {
    return await use(await new Promise<string>((resolve) => child.once('message', resolve)));
  } finally {
    child.disconnect();
  }
}

/** Runs with a directory that is gone afterwards. */
export async function inDirectory<Value>(use: (path: string) => Promise<Value>): Promise<Value> {
  const directory = await mkdtemp(join(tmpdir(), 'touchmark-bench-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Asks the whole of an audit as `touchmark audit` does, into a run log and under a budget. */
export function askByEngine(
  address: string,
  material: AuditMaterial,
  watch: (log: ChainedRunLog) => void = () => undefined,
): Promise<void> {
  return inDirectory(async (directory) => {
    const runLog = await openRunLog(directory, 'sha256:bench');
    const attempts = await openRunAttempts(directory);
    const budget = new Budget({ requests: 1e9, seconds: 1e9 }, attempts.earlier);
    const pace = new Pace({ budget, journal: attempts });
    const suspect = openClassifier(`http:${address}`, { labels, batchSize, gate: pace });
    try {
      await conductAudit({
        ...{ material, suspect, runLog, batchSize, pace },
        gives: ['labels', 'probabilities'],
        disguise: { seed: 'bench', coverPerTrap: 1, pauseMilliseconds: 0 },
        millisecondsOf: (probe) => runLog.millisecondsOf(probe),
        signal: new AbortController().signal,
        progress: () => watch(runLog),
      });
    } finally {
      await Promise.all([suspect.close(), attempts.close(), runLog.close()]);
    }
  });
}

/** Asks the same batches, as many at once, and forgets the answers. */
export async function askPlainly(address: string, material: AuditMaterial): Promise<void> {
  const questions = [...material.fresh, ...material.logged].map(({ probe }) => probe.input);
  const agent = new Agent({ connections: concurrency });
  const queue = new PQueue({ concurrency });
  const ask = async (inputs: readonly unknown[]) => {
    const response = await request(address, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs }),
    });
    const { probabilities } = (await response.body.json()) as { probabilities: unknown[] };
    if (probabilities.length !== inputs.length) throw new RangeError('answers are missing');
  };
  for (let from = 0; from < questions.length; from += batchSize) {
    void queue.add(() => ask(questions.slice(from, from + batchSize)));
  }
  await queue.onIdle();
  await agent.destroy();
}
