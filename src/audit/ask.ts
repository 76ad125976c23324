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
import type { Pace } from './pace.ts';

/** Where answers are kept before they are believed, so that no recorded one is asked for again. */
export interface RunLog<T extends Task = 'classify'> {
  /** What is already known of a probe. */
  recall(probe: Probe<T>): Outcome<T> | undefined;
  /** Resolves once the outcomes would survive a crash. */
  record(
    outcomes: readonly {
      readonly probe: Probe<T>;
      readonly outcome: Outcome<T>;
      readonly milliseconds?: number;
    }[],
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
  /** Requests under way at once, where no pace decides. */
  readonly concurrency: number;
  /** How fast the suspect can be asked; the same that its adapter passes requests through. */
  readonly pace?: Pick<Pace, 'concurrency' | 'disturbances'>;
  /** Ids of probes to ask in a request of their own, whose time is recorded. */
  readonly alone?: ReadonlySet<string>;
  /** Probes over all tests and their cover, for progress. */
  readonly expected: number;
  /** How the asking is made to look like traffic; in plain order and at full speed without it. */
  readonly disguise?: Disguise<T>;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
  /** Called after each fold with the evidence of every test that folded. */
  readonly onEvidence?: (evidence: Evidence) => void;
  /** Decides, after each round of folds, from the evidence of all tests that no more is asked. */
  readonly stopWhen?: (evidence: readonly Evidence[]) => boolean;
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
 * Puts the tests' probes to the suspect until no test has a next one, or until the rule for stopping
 * holds. What a test hands out is folded whole before the rule is looked at.
 *
 * A test's `next` depends on the sealed plan and on what was folded only, and observations are
 * folded in probe order whatever the concurrency: asking again after an interruption replays the
 * run log and goes on. One answer serves every test that names its probe.
 *
 * @throws INTERRUPTED when the signal fires; what the suspect's adapter throws. Answers that had
 *   arrived are in the run log; before RUN_INCOMPLETE those under way are waited for.
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
    if (options.stopWhen?.(options.runs.map((run) => run.evidence()))) return observations;
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
  const { pace } = options;
  const queue = new PQueue({ concurrency: pace?.concurrency ?? options.concurrency });
  const stop = new AbortController();
  let failure: { readonly cause: unknown } | undefined;
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const askBatch = async (batch: readonly Probe<T>[]): Promise<void> => {
    await options.pause();
    if (signal.aborted || failure !== undefined) return;
    const disturbances = pace?.disturbances;
    const begun = performance.now();
    const outcomes = await options.ask(batch, { signal });
    const milliseconds = performance.now() - begun;
    const timed = options.alone?.has(batch[0]!.id) && disturbances === pace?.disturbances;
    const answered = batch.map((probe, index) => ({
      probe,
      outcome: outcomes[index]!,
      ...(timed && { milliseconds }),
    }));
    await options.runLog.record(answered);
    for (const { probe, outcome } of answered) observations.set(probe.id, { probe, ...outcome });
    options.progress?.('asking the suspect', observations.size, options.expected);
  };
  const fail = (cause: unknown): void => {
    failure ??= { cause };
    if (!TouchmarkError.isInstance(cause) || cause.code !== 'RUN_INCOMPLETE') stop.abort();
  };
  const askNext = async (batch: readonly Probe<T>[]): Promise<void> => {
    if (pace) queue.concurrency = pace.concurrency;
    await askBatch(batch).catch(fail);
    if (pace) queue.concurrency = pace.concurrency;
  };
  const batches = batchesOf(unknown, options);
  await Promise.all(batches.map((batch) => queue.add(() => askNext(batch))));
  if (options.signal.aborted) {
    throw new TouchmarkError(
      'INTERRUPTED',
      `the audit was interrupted after ${observations.size} probes`,
      { hint: 'run the same command with --resume to go on; what was answered is kept' },
    );
  }
  if (failure !== undefined) throw failure.cause;
}

/** Splits probes into requests, in their order but for those that are asked alone. */
function batchesOf<T extends Task>(
  probes: readonly Probe<T>[],
  { batchSize, alone }: Pick<AskOptions<T>, 'batchSize' | 'alone'>,
): readonly (readonly Probe<T>[])[] {
  const batches: Probe<T>[][] = [];
  let open: Probe<T>[] = [];
  for (const probe of probes) {
    if (alone?.has(probe.id)) {
      batches.push([probe]);
      continue;
    }
    if (open.length === 0 || open.length === batchSize) {
      open = [];
      batches.push(open);
    }
    open.push(probe);
  }
  return batches;
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
