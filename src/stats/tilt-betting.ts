import { TouchmarkError } from '../errors.ts';
import { LN10 } from './log-space.ts';

/** A bet on a mean score: each score s multiplies its wealth by exp(slope s - cost). */
export interface Tilt {
  readonly slope: number;
  /** log E[exp(slope s)] under the null, or more. */
  readonly cost: number;
}

/**
 * The e-process of scores that have one known law under the null: the equal mixture over tilts of
 * exp(slope x total - cost x count).
 *
 * Null hypothesis: each score has, given the past, a cumulant generating function of at most `cost`
 * at `slope`. Then every component is a test supermartingale, and so is their mean: valid at every
 * stopping time (Howard et al. 2020, "Time-uniform Chernoff bounds", section 2).
 */
export class TiltBetting {
  readonly #tilts: readonly Tilt[];
  #total = 0;
  #count = 0;

  /** @throws TouchmarkError INPUT_INVALID without tilts */
  constructor(tilts: readonly Tilt[]) {
    if (tilts.length === 0) {
      throw new TouchmarkError('INPUT_INVALID', 'tilt betting: there is no tilt to bet on', {
        hint: 'Give at least one slope with its cost.',
      });
    }
    this.#tilts = tilts;
  }

  /** Bets on the next scores, in their order. */
  fold(scores: ArrayLike<number>): void {
    for (let index = 0; index < scores.length; index++) this.#total += scores[index]!;
    this.#count += scores.length;
  }

  /** log10 of the present e-value (not of its running maximum, which is not an e-value). */
  get log10E(): number {
    return tiltLog10E(this.#tilts, this.#total, this.#count);
  }

  get total(): number {
    return this.#total;
  }

  get count(): number {
    return this.#count;
  }
}

/** Returns log10 of the e-value of `count` scores that sum to `total`; see `TiltBetting`. */
export function tiltLog10E(tilts: readonly Tilt[], total: number, count: number): number {
  let high = -Infinity;
  for (const { slope, cost } of tilts) high = Math.max(high, slope * total - cost * count);
  let sum = 0;
  for (const { slope, cost } of tilts) sum += Math.exp(slope * total - cost * count - high);
  return (high + Math.log(sum / tilts.length)) / LN10;
}
