import { TiltBetting } from '../../../stats/tilt-betting.ts';
import { bernoulliLaw } from '../laws.ts';

/** What the green pairs of one layer say of one key. */
export interface LayerScore {
  /** Share of green pairs; 1/2 is expected without the mark. */
  readonly mean: number;
  /** log10 of the exact p-value of the texts as one fixed sample. */
  readonly log10P: number;
  /** log10 of the e-value in the texts' order; valid whenever one stops reading. */
  readonly log10E: number;
}

/** Counts green pairs, each of which is green with probability 1/2 under the null. */
export class ScoreTally {
  readonly #law = bernoulliLaw(0.5);
  readonly #betting = new TiltBetting(this.#law.tilts);

  fold(bits: Uint8Array): void {
    this.#betting.fold(bits);
  }

  get score(): LayerScore {
    const { total, count, log10E } = this.#betting;
    return {
      mean: count === 0 ? 0 : total / count,
      log10P: count === 0 ? 0 : this.#law.log10UpperTail(total, count),
      log10E,
    };
  }
}
