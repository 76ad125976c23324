import { LN10, logSumExp } from './log-space.ts';
import { type Draw, memberCumulant } from './tails/weighted-bernoulli.ts';

/**
 * Slopes of the bets. A slope suits sums that lie slope x variance above 0: the smallest are for
 * many small weights, the largest for a few of size 1.
 */
const slopes = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8];

/**
 * The e-process of weighted list members: every list multiplies the wealth of each slope by
 * exp(slope w (g - share)) over its expectation, or an upper bound of that; the e-value is the mean
 * wealth.
 *
 * Null hypothesis: each list is drawn, given the past and its own weights, as `draw` says, with
 * P(g = 1) = `share`. Then the wealth is a test supermartingale, valid at every stopping time.
 */
export class WeightedBernoulliBetting {
  readonly #share: number;
  readonly #draw: Draw;
  readonly #logWealth = slopes.map(() => 0);

  /** @param share in (0, 1) */
  constructor(share: number, draw: Draw) {
    this.#share = share;
    this.#draw = draw;
  }

  /** Bets on members of one list: their weights, and 1 where the member was drawn, else 0. */
  fold(weights: ArrayLike<number>, members: ArrayLike<number>): void {
    slopes.forEach((slope, index) => {
      let gain = 0;
      for (let at = 0; at < weights.length; at++) {
        const x = slope * weights[at]!;
        gain += x * (members[at]! - this.#share) - memberCumulant(x, this.#share, this.#draw);
      }
      this.#logWealth[index]! += gain;
    });
  }

  /** log10 of the present e-value (not of its running maximum, which is not an e-value). */
  get log10E(): number {
    return (logSumExp(this.#logWealth) - Math.log(slopes.length)) / LN10;
  }
}
