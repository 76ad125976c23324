import type { Outcome } from '../contracts.ts';

const missing = ['refused', 'failed', 'unsupported'] as const;

/**
 * Outcomes by probe in few bytes each: labels are kept once, and all who are told the probabilities
 * of an answer share one array.
 */
export class RunOutcomes {
  readonly #rows = new Map<string, number>();
  readonly #labels: string[] = [];
  readonly #labelNumbers = new Map<string, number>();
  /** A label's number, or `-1 - number` of a reason why there is no answer. */
  readonly #answers: number[] = [];
  readonly #milliseconds = new Map<number, number>();
  readonly #probabilities: (readonly number[] | undefined)[] = [];

  get size(): number {
    return this.#rows.size;
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  /** Adds a probe's outcome, one only, and keeps its probabilities as they are given. */
  add(id: string, outcome: Outcome, milliseconds?: number): void {
    if (this.#rows.has(id)) throw new RangeError(`the probe ${id} has an outcome already`);
    const row = this.#answers.length;
    this.#rows.set(id, row);
    if (milliseconds !== undefined) this.#milliseconds.set(row, milliseconds);
    if ('answer' in outcome) {
      const { label, probabilities = [] } = outcome.answer;
      this.#answers.push(this.#numberOf(label));
      this.#probabilities.push(probabilities.length === 0 ? undefined : probabilities);
    } else {
      this.#answers.push(-1 - missing.indexOf(outcome.missing));
      this.#probabilities.push(undefined);
    }
  }

  outcomeOf(id: string): Outcome | undefined {
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    const number = this.#answers[row]!;
    if (number < 0) return { missing: missing[-1 - number]! };
    const label = this.#labels[number]!;
    const probabilities = this.#probabilities[row];
    return { answer: probabilities === undefined ? { label } : { label, probabilities } };
  }

  millisecondsOf(id: string): number | undefined {
    const row = this.#rows.get(id);
    return row === undefined ? undefined : this.#milliseconds.get(row);
  }

  #numberOf(label: string): number {
    const known = this.#labelNumbers.get(label);
    if (known !== undefined) return known;
    this.#labelNumbers.set(label, this.#labels.length);
    return this.#labels.push(label) - 1;
  }
}
