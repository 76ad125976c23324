import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import type { Missing, Outcome, Probe, Task } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { AskOptions, RunLog } from './ask.ts';
import { DisguisedBlocks } from './disguise.ts';
import { Solitude } from './solitude.ts';

/** Probes that are put in line together ahead of time, and mixed as far as that. */
const block = 512;

type Answered<T extends Task> = Parameters<RunLog<T>['record']>[0][number];

/** What became of the probes of an audit. */
export interface AskedProbes<T extends Task = 'classify'> {
  /** Probes with an outcome, the cover among them. */
  readonly size: number;
  readonly outcomes: Readonly<Record<'answered' | Missing, number>>;
  /** Undefined for a probe that was not asked. */
  outcomeOf(probe: Probe<T>): Outcome<T> | undefined;
}

/**
 * The requests of one audit: which probes are in line, under way and answered. Answers lie in the run
 * log; of each probe that it gives back only the id is kept here.
 */
export class Requests<T extends Task> implements AskedProbes<T> {
  readonly outcomes = { answered: 0, refused: 0, failed: 0, unsupported: 0 };
  readonly #options: AskOptions<T>;
  readonly #disguise: DisguisedBlocks<T> | undefined;
  readonly #queue: PQueue;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #ids = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** Of requests whose time is measured: one that waits for others says nothing of the suspect. */
  readonly #solitude = new Solitude();
  /** Outcomes that the run log does not give back. */
  readonly #kept = new Map<string, Outcome<T>>();
  #size = 0;
  #ahead = 0;
  #failure: { readonly cause: unknown } | undefined;

  constructor(options: AskOptions<T>) {
    this.#options = options;
    this.#disguise = options.disguise && new DisguisedBlocks(options.disguise, options.expected);
    this.#queue = new PQueue({ concurrency: this.#concurrency });
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    setMaxListeners(0, this.#signal);
  }

  get size(): number {
    return this.#size;
  }

  outcomeOf(probe: Probe<T>): Outcome<T> | undefined {
    if (!this.#ids.has(probe.id)) return undefined;
    return this.#kept.get(probe.id) ?? this.#options.runLog.recall(probe);
  }

  /** Whether an answer is being timed, which nothing must keep from being read. */
  get isTiming(): boolean {
    return this.#solitude.isSought;
  }

  /** Puts probes in line that are not yet, before those that were put there ahead of time. */
  ask(probes: readonly Probe<T>[]): void {
    this.#line(probes, 1);
  }

  /** Keeps so many probes in line that nobody waits for the tests to say what they want next. */
  askAhead(): void {
    const { ahead = [], batchSize } = this.#options;
    while (
      this.#underWay.size < 2 * this.#concurrency * batchSize &&
      this.#ahead < ahead.length &&
      this.#failure === undefined
    ) {
      this.#line(ahead.slice(this.#ahead, this.#ahead + block), 0);
      this.#ahead += block;
    }
  }

  /**
   * Resolves once these probes have outcomes, and no time is being measured.
   *
   * @throws what ended the asking, once no request is under way any more
   */
  async settle(probes: readonly Probe<T>[]): Promise<void> {
    await Promise.all(new Set(probes.map(({ id }) => this.#underWay.get(id))));
    await this.#solitude.over();
    if (this.#options.signal.aborted || this.#failure !== undefined) await this.finish();
  }

  /** Resolves once all that is in line has an outcome. @throws as `settle` */
  async finish(): Promise<void> {
    await this.#queue.onIdle();
    if (this.#options.signal.aborted) {
      throw new TouchmarkError(
        'INTERRUPTED',
        `the audit was interrupted after ${this.#size} probes`,
        { hint: 'run the same command with --resume to go on; what was answered is kept' },
      );
    }
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  get #concurrency(): number {
    return this.#options.pace?.concurrency ?? this.#options.concurrency;
  }

  #line(probes: readonly Probe<T>[], priority: number): void {
    const own = probes.filter(({ id }) => this.#isNew(id));
    const asked = this.#disguise?.block(own) ?? own;
    for (const { id } of asked) this.#ids.add(id);
    const unknown = asked.filter((probe) => {
      const outcome = this.#options.runLog.recall(probe);
      if (outcome !== undefined) this.#count(outcome);
      return outcome === undefined;
    });
    for (const batch of batchesOf(unknown, this.#options)) {
      const answered = this.#queue.add(() => this.#askNext(batch), { priority });
      for (const { id } of batch) this.#underWay.set(id, answered);
    }
  }

  #isNew(id: string): boolean {
    const isNew = !this.#ids.has(id);
    this.#ids.add(id);
    return isNew;
  }

  async #askNext(batch: readonly Probe<T>[]): Promise<void> {
    this.#queue.concurrency = this.#concurrency;
    await this.#askBatch(batch).catch((cause) => this.#fail(cause));
    for (const { id } of batch) this.#underWay.delete(id);
    this.#queue.concurrency = this.#concurrency;
  }

  async #askBatch(batch: readonly Probe<T>[]): Promise<void> {
    const { runLog, progress, expected, alone } = this.#options;
    await this.#disguise?.pause(this.#options.signal);
    const isTimed = alone?.has(batch[0]!.id) ?? false;
    const answers = isTimed
      ? await this.#solitude.alone(() => this.#timedAnswers(batch))
      : await this.#solitude.together(() => this.#answers(batch));
    if (answers.length === 0) return;
    await runLog.record(answers);
    for (const { probe, outcome } of answers) {
      this.#count(outcome);
      if (runLog.recall(probe) === undefined) this.#kept.set(probe.id, outcome);
    }
    progress?.('asking the suspect', this.#size, expected);
  }

  /** Asks, unless the asking has ended. */
  async #answers(batch: readonly Probe<T>[]): Promise<Answered<T>[]> {
    if (this.#signal.aborted || this.#failure !== undefined) return [];
    const outcomes = await this.#options.ask(batch, { signal: this.#signal });
    return batch.map((probe, index) => ({ probe, outcome: outcomes[index]! }));
  }

  async #timedAnswers(batch: readonly Probe<T>[]): Promise<Answered<T>[]> {
    const { pace } = this.#options;
    const disturbances = pace?.disturbances;
    const begun = performance.now();
    const answers = await this.#answers(batch);
    const milliseconds = performance.now() - begun;
    const isCalm = disturbances === pace?.disturbances;
    return isCalm ? answers.map((answer) => ({ ...answer, milliseconds })) : answers;
  }

  #count(outcome: Outcome<T>): void {
    this.#size += 1;
    this.outcomes['answer' in outcome ? 'answered' : outcome.missing] += 1;
  }

  #fail(cause: unknown): void {
    this.#failure ??= { cause };
    if (!TouchmarkError.isInstance(cause) || cause.code !== 'RUN_INCOMPLETE') this.#stop.abort();
  }
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
