import { setImmediate } from 'node:timers/promises';

/** Work that comes sooner than this after a write is likely to come with more. */
const busyMilliseconds = 1;

/** Something to be written to a log. */
export interface Work {
  /** How many records it counts for. */
  readonly size: number;
  /** Whether it must not be written together with other work. */
  readonly alone: boolean;
}

/** Sequences that work was given. */
type Result = readonly number[];

interface Waiting<Item> {
  readonly work: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Hands work to one writer in the order it came, that of the same moment together. */
export class WriteQueue<Item extends Work> {
  readonly #write: (works: readonly Item[]) => Promise<readonly Result[]>;
  readonly #afterWrite: () => Promise<void>;
  readonly #recordsPerWrite: number;
  #queue: Waiting<Item>[] = [];
  #waiting = 0;
  #draining: Promise<void> | undefined;
  #lastWrite = -busyMilliseconds;

  /**
   * @param options.write writes all of the work or none, and returns a result for each
   * @param options.afterWrite runs before the next write, whatever became of the last; never rejects
   * @param options.recordsPerWrite no more work is added to a write that has so many records
   */
  constructor(options: {
    readonly write: (works: readonly Item[]) => Promise<readonly Result[]>;
    readonly afterWrite: () => Promise<void>;
    readonly recordsPerWrite: number;
  }) {
    this.#write = options.write;
    this.#afterWrite = options.afterWrite;
    this.#recordsPerWrite = options.recordsPerWrite;
  }

  /** Records that wait to be written, or are being written. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves to the result once the work is written, or rejects as `write` did. */
  push(work: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#waiting += work.size;
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Others come in, timers run, and what came meanwhile is written together. After a pause few come.
      const isBusy = performance.now() - this.#lastWrite < busyMilliseconds;
      await (isBusy ? setImmediate() : undefined);
      const next = this.#take();
      try {
        const results = await this.#write(next.map(({ work }) => work));
        for (const [index, { resolve }] of next.entries()) resolve(results[index] ?? []);
      } catch (cause) {
        for (const { reject } of next) reject(cause);
      }
      for (const { work } of next) this.#waiting -= work.size;
      this.#lastWrite = performance.now();
      await this.#afterWrite();
    }
    this.#draining = undefined;
  }

  #take(): readonly Waiting<Item>[] {
    let [count, records] = [0, 0];
    for (const { work } of this.#queue) {
      if (work.alone && count > 0) break;
      count += 1;
      records += work.size;
      if (work.alone || records >= this.#recordsPerWrite) break;
    }
    return this.#queue.splice(0, count);
  }
}
