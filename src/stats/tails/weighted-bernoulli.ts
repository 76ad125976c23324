import { TouchmarkError } from '../../errors.ts';
import { LN10 } from '../log-space.ts';

/**
 * How the members of one list are drawn: each on its own, or a fixed number of all at once. A fixed
 * number makes members depend on each other, and sums with weights of both signs then spread wider.
 */
export type Draw = 'independent' | 'fixed-size';

/**
 * Returns the log of E[exp(x (g - share))] for a member g that is 1 with probability `share`, or an
 * upper bound whose product over the members of a list bounds the expectation of their product.
 *
 * Fixed size: by Hoeffding (1963, theorem 4) drawing with replacement is no better bounded, which
 * gives the Poisson cumulant share (e^x - 1 - x) per member.
 */
export function memberCumulant(x: number, share: number, draw: Draw): number {
  if (draw === 'fixed-size') return share * (Math.expm1(x) - x);
  return Math.log1p(share * Math.expm1(x)) - share * x;
}

/**
 * Returns an upper bound of log10 P(sum of w_i (g_i - share) >= total): Chernoff's (1952), at the
 * slope where it is least. It is never below the true value, and about sqrt(2 pi) z times it z
 * standard deviations out.
 *
 * Null hypothesis: every g_i is 1 with probability `share`, in lists drawn as `draw` says that are
 * independent of one another and of the weights.
 *
 * @param share in (0, 1)
 * @throws TouchmarkError INPUT_INVALID for a share outside its range, weights that are not finite,
 *   or a total that is NaN
 */
export function log10WeightedBernoulliTailBound(
  weights: ArrayLike<number>,
  share: number,
  total: number,
  draw: Draw,
): number {
  const largest = checkedLargest(weights, share, total);
  if (!(total > 0)) return 0;
  if (largest === 0) return -Infinity;
  const exponent = (slope: number): number => {
    let sum = -slope * total;
    for (let index = 0; index < weights.length; index++) {
      sum += memberCumulant(slope * weights[index]!, share, draw);
    }
    return sum;
  };
  return Math.min(0, leastOfConvex(exponent, 1 / largest)) / LN10;
}

/** The least value of a convex function on (0, 600 units]; any value would be a valid bound. */
function leastOfConvex(value: (x: number) => number, unit: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let high = unit / 1024;
  while (high < 600 * unit && value(2 * high) < value(high)) high *= 2;
  let low = 0;
  high = Math.min(2 * high, 600 * unit);
  let left = high - ratio * (high - low);
  let right = low + ratio * (high - low);
  let [atLeft, atRight] = [value(left), value(right)];
  for (let step = 0; step < 40; step++) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - ratio * (high - low);
      atLeft = value(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + ratio * (high - low);
      atRight = value(right);
    }
  }
  return Math.min(atLeft, atRight);
}

function checkedLargest(weights: ArrayLike<number>, share: number, total: number): number {
  let largest = 0;
  for (let index = 0; index < weights.length; index++) {
    const size = Math.abs(weights[index]!);
    if (!Number.isFinite(size)) throw invalid(`weight ${index} is ${weights[index]}`);
    largest = Math.max(largest, size);
  }
  if (!(share > 0 && share < 1)) throw invalid(`the share is ${share}`);
  if (Number.isNaN(total)) throw invalid('the total is not a number');
  return largest;
}

function invalid(what: string): TouchmarkError {
  return new TouchmarkError('INPUT_INVALID', `weighted Bernoulli tail: ${what}`, {
    hint: 'Weights are finite, the share is between 0 and 1, and the total is a number.',
  });
}
