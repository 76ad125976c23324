import { RowSet } from './row-set.ts';

/**
 * Remembers the contexts of one generation, so that those that repeat are left alone: for ever, or
 * for a number of steps where a stack forgets.
 */
export class ContextHistory {
  readonly #steps: number;
  readonly #seen = new RowSet();
  readonly #lastStep = new Map<string, number>();
  #step = 0;

  /** @param steps how many steps before the present one are looked at; all by default */
  constructor(steps = Infinity) {
    this.#steps = steps;
  }

  clear(): void {
    this.#seen.clear();
    this.#lastStep.clear();
    this.#step = 0;
  }

  /** Adds the next step's context and says whether none of the steps looked at had it. */
  add(contexts: Int32Array, from: number, width: number): boolean {
    if (this.#steps === Infinity) return this.#seen.add(contexts, from, width);
    const step = this.#step++;
    const name = contexts.subarray(from, from + width).join();
    const last = this.#lastStep.get(name);
    this.#lastStep.set(name, step);
    return last === undefined || step - last > this.#steps;
  }
}
