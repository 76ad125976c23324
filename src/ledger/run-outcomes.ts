import type { Outcome } from '../contracts.ts';

const missing = ['refused', 'failed', 'unsupported'] as const;
const noMilliseconds = Number.NaN;

/**
 * Outcomes by probe in a few bytes each: probabilities lie in one array for all probes, labels are
 * kept once, and what a caller gets is made when it asks.
 */
export class RunOutcomes {
  readonly #rows = new Map<string, number>();
  readonly #labels: string[] = [];
  readonly #labelNumbers = new Map<string, number>();
  /** A label's number, or `-1 - number` of a reason why there is no answer. */
  readonly #answers = new Column(Int32Array);
  readonly #milliseconds = new Column(Float64Array);
  /** Where a row's probabilities end; they begin where those of the row before end. */
  readonly #ends = new Column(Float64Array);
  readonly #probabilities = new Column(Float64Array);

  get size(): number {
    return this.#rows.size;
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  /** Adds a probe's outcome; a probe has one outcome only. */
  add(id: string, outcome: Outcome, milliseconds = noMilliseconds): void {
    if (this.#rows.has(id)) throw new RangeError(`the probe ${id} has an outcome already`);
    this.#rows.set(id, this.#answers.length);
    this.#milliseconds.push(milliseconds);
    if ('answer' in outcome) {
      this.#answers.push(this.#numberOf(outcome.answer.label));
      for (const value of outcome.answer.probabilities ?? []) this.#probabilities.push(value);
    } else {
      this.#answers.push(-1 - missing.indexOf(outcome.missing));
    }
    this.#ends.push(this.#probabilities.length);
  }

  outcomeOf(id: string): Outcome | undefined {
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    const number = this.#answers.at(row);
    if (number < 0) return { missing: missing[-1 - number]! };
    const start = row === 0 ? 0 : this.#ends.at(row - 1);
    const end = this.#ends.at(row);
    const label = this.#labels[number]!;
    if (start === end) return { answer: { label } };
    return { answer: { label, probabilities: this.#probabilities.slice(start, end) } };
  }

  millisecondsOf(id: string): number | undefined {
    const row = this.#rows.get(id);
    const milliseconds = row === undefined ? noMilliseconds : this.#milliseconds.at(row);
    return Number.isNaN(milliseconds) ? undefined : milliseconds;
  }

  #numberOf(label: string): number {
    const known = this.#labelNumbers.get(label);
    if (known !== undefined) return known;
    this.#labelNumbers.set(label, this.#labels.length);
    return this.#labels.push(label) - 1;
  }
}

const blockLength = 2 ** 16;

/** Numbers in blocks, so that growing copies nothing. */
class Column<Block extends Int32Array | Float64Array> {
  readonly #make: new (
    length: number,
  ) => Block;
  readonly #blocks: Block[] = [];
  #length = 0;

  constructor(make: new (length: number) => Block) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const place = this.#length % blockLength;
    if (place === 0) this.#blocks.push(new this.#make(blockLength));
    this.#blocks.at(-1)![place] = value;
    this.#length += 1;
  }

  at(index: number): number {
    return this.#blocks[Math.floor(index / blockLength)]![index % blockLength]!;
  }

  slice(start: number, end: number): number[] {
    return Array.from({ length: end - start }, (_, index) => this.at(start + index));
  }
}
