import { setTimeout } from 'node:timers/promises';
import PQueue from 'p-queue';
import type {
  Evidence,
  Observation,
  Outcome,
  Probe,
  Progress,
  Task,
  TestRun,
} from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { type SeededRandom, seededRandom } from '../stats/sampling.ts';

/** Where answers are kept before they are believed, so that no recorded one is asked for again. */
export interface RunLog<T extends Task = 'classify'> {
  /** What is already known of a probe. */
  recall(probe: Probe<T>): Outcome<T> | undefined;
  /** Resolves once the outcomes would survive a crash. */
  record(
    outcomes: readonly { readonly probe: Probe<T>; readonly outcome: Outcome<T> }[],
  ): Promise<void>;
}

/** Puts some inputs to a suspect and returns one outcome for each, in order. */
export type Ask<T extends Task> = (
  probes: readonly Probe<T>[],
  options: { readonly signal: AbortSignal },
) => Promise<readonly Outcome<T>[]>;

export interface AskOptions<T extends Task = 'classify'> {
  readonly ask: Ask<T>;
  readonly runs: readonly TestRun<T>[];
  readonly runLog: RunLog<T>;
  readonly batchSize: number;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Probes over all tests and their cover, for progress. */
  readonly expected: number;
  /** How the asking is made to look like traffic; in plain order and at full speed without it. */
  readonly disguise?: Disguise<T>;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
  /** Called after each fold with the evidence of every test that folded. */
  readonly onEvidence?: (evidence: Evidence) => void;
}

/**
 * Ordinary questions among the probes, and order and pace that say nothing: within each block that
 * the tests hand out, everything is asked in random order.
 */
export interface Disguise<T extends Task = 'classify'> {
  /** Of the order and the pauses; a suspect must not know it. */
  readonly seed: string;
  /** Questions asked beside the tests' own and folded by nobody, spread evenly over the blocks. */
  readonly cover: readonly Probe<T>[];
  /** Mean of the exponential pause before each request; 0 asks at full speed. */
  readonly pauseMilliseconds: number;
}

/**
 * Puts the tests' probes to the suspect until no test has a next one.
 *
 * A test's `next` depends on the sealed plan and on what was folded only, and observations are
 * folded in probe order whatever the concurrency: asking again after an interruption replays the
 * run log and goes on. One answer serves every test that names its probe.
 *
 * @throws INTERRUPTED when the signal fires; what the suspect's adapter throws. Answers that had
 *   arrived are in the run log.
 */
export async function askTests<T extends Task = 'classify'>(
  options: AskOptions<T>,
): Promise<ReadonlyMap<string, Observation<T>>> {
  const observations = new Map<string, Observation<T>>();
  const disguise = options.disguise && new DisguisedBlocks(options.disguise, options.expected);
  for (;;) {
    const wanted = options.runs.map((run) => run.next());
    if (wanted.every((probes) => probes.length === 0)) return observations;
    const due = new Map(wanted.flat().map((probe) => [probe.id, probe]));
    const unseen = [...due.values()].filter(({ id }) => !observations.has(id));
    await observe(disguise?.block(unseen) ?? unseen, observations, {
      ...options,
      pause: () => disguise?.pause(options.signal),
    });
    wanted.forEach((probes, index) => {
      if (probes.length === 0) return;
      const run = options.runs[index]!;
      run.fold(probes.map((probe) => observations.get(probe.id)!));
      options.onEvidence?.(run.evidence());
    });
  }
}

async function observe<T extends Task>(
  probes: readonly Probe<T>[],
  observations: Map<string, Observation<T>>,
  options: AskOptions<T> & { readonly pause: () => Promise<void> | undefined },
): Promise<void> {
  const unknown = probes.filter((probe) => {
    const outcome = options.runLog.recall(probe);
    if (outcome === undefined) return true;
    observations.set(probe.id, { probe, ...outcome });
    return false;
  });
  const queue = new PQueue({ concurrency: options.concurrency });
  const stop = new AbortController();
  let failure: { readonly cause: unknown } | undefined;
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const askBatch = async (batch: readonly Probe<T>[]): Promise<void> => {
    await options.pause();
    if (signal.aborted) return;
    const outcomes = await options.ask(batch, { signal });
    const answered = batch.map((probe, index) => ({ probe, outcome: outcomes[index]! }));
    await options.runLog.record(answered);
    for (const { probe, outcome } of answered) observations.set(probe.id, { probe, ...outcome });
    options.progress?.('asking the suspect', observations.size, options.expected);
  };
  const batches = Array.from(
    { length: Math.ceil(unknown.length / options.batchSize) },
    (_, index) => unknown.slice(index * options.batchSize, (index + 1) * options.batchSize),
  );
  const fail = (cause: unknown): void => {
    failure ??= { cause };
    stop.abort();
  };
  await Promise.all(batches.map((batch) => queue.add(() => askBatch(batch).catch(fail))));
  if (options.signal.aborted) {
    throw new TouchmarkError(
      'INTERRUPTED',
      `the audit was interrupted after ${observations.size} probes`,
      { hint: 'run the same command with --resume to go on; what was answered is kept' },
    );
  }
  if (failure !== undefined) throw failure.cause;
}

/** Mixes cover into the blocks of an audit, and shuffles them. */
class DisguisedBlocks<T extends Task> {
  readonly #disguise: Disguise<T>;
  readonly #random: SeededRandom;
  /** Cover questions for each probe of a test. */
  readonly #rate: number;
  #probes = 0;
  #covered = 0;

  constructor(disguise: Disguise<T>, expected: number) {
    const { cover, seed } = disguise;
    this.#disguise = disguise;
    this.#random = seededRandom(`${seed}/disguise`);
    this.#rate = cover.length / Math.max(1, expected - cover.length);
  }

  block(probes: readonly Probe<T>[]): readonly Probe<T>[] {
    this.#probes += probes.length;
    const { cover } = this.#disguise;
    const until = Math.min(cover.length, Math.ceil(this.#probes * this.#rate));
    const added = cover.slice(this.#covered, until);
    this.#covered = Math.max(this.#covered, until);
    return this.#random.shuffle([...probes, ...added]);
  }

  async pause(signal: AbortSignal): Promise<void> {
    const { pauseMilliseconds } = this.#disguise;
    if (pauseMilliseconds === 0) return;
    const wait = -pauseMilliseconds * Math.log(1 - this.#random.uniform());
    await setTimeout(wait, undefined, { signal }).catch(() => undefined);
  }
}
