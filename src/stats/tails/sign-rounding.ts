import { groupSizes, membership, type Sizes, solveTilt, tiltedSubsetTail } from './subset-sums.ts';

const LARGEST_LATTICE = 2 ** 22;

/**
 * Returns an upper bound, close to the true value, on log P(S >= threshold) for S = sum of s_i w_i
 * with fair signs and positive real weights, 0 when nothing better is known.
 *
 * Weights are rounded to a lattice, w_i = d k_i + e_i, so S = d L + E with L the lattice sum and
 * E = sum of s_i e_i. Tilt the signs by e^(a d L) (Esscher 1932), M = prod cosh(a d k_i). Under the
 * tilted measure E has the mean m = sum of e_i tanh(a d k_i) and, by Hoeffding's lemma (1963), the
 * variance proxy V = sum of e_i^2. With t = threshold - m - c, for every c >= a V:
 *
 *   P(S >= threshold) <= P(d L >= t) + P(S >= threshold, E > m + c)
 *                     <= M e^(-a t) { E_tilted[e^(-a (d L - t)); d L >= t] + e^(-c^2 / 2V) }.
 *
 * Trimmed mass is added to the braces, and the rounding of doubles to the logarithm. Where the sum
 * of |e_i| is below m + c it replaces m + c and the last term vanishes. The threshold moves by
 * about 1.3 sqrt(n) d; with d = s / min(640 sqrt(n), 1.4e6 / sqrt(n)), s the tilted standard
 * deviation of S, that is s / 500 below n = 2,000 and s / 200 at n = 5,000.
 */
export function logRoundedSignTail(weights: Float64Array, threshold: number): number {
  const real = groupSizes(weights);
  const first = roundingStep(real, threshold);
  const step = roundingStep(real, threshold - 1.3 * Math.sqrt(weights.length) * first.step).step;
  const slope = roundingStep(real, threshold - 1.3 * Math.sqrt(weights.length) * step).slope;
  const rounded = weights.map((weight) => Math.round(weight / step));
  const tilt = 2 * slope * step;
  const shift = thresholdShift(weights, rounded, step, slope);
  const lattice = groupSizes(rounded.filter((multiple) => multiple > 0));
  const bound = (lattice.total - (threshold - shift.amount) / step) / 2 + 1e-6;
  const limit = Math.min(Math.floor(bound), lattice.total);
  const best = shift.logExtra === -Infinity ? solveTilt(lattice, limit) : tilt;
  const tail = tiltedSubsetTail(lattice, limit, best, 1e-9);
  const extra = Math.exp(tilt * (bound - limit) + shift.logExtra);
  const rounding = (weights.length + 100) * 2 ** -50;
  return Math.min(0, tail.scale + Math.log(tail.sum + tail.dropped + extra) + rounding);
}

/**
 * The slope a of the tilt towards the threshold, and a lattice step fine beside the tilted
 * deviation.
 */
function roundingStep(sizes: Sizes, threshold: number): { step: number; slope: number } {
  const tilt = solveTilt(sizes, (sizes.total - threshold) / 2);
  let variance = 0;
  for (let index = 0; index < sizes.values.length; index++) {
    const size = sizes.values[index]!;
    const inside = membership(tilt, size);
    variance += 4 * sizes.counts[index]! * size * size * inside * (1 - inside);
  }
  const root = Math.sqrt(sizes.members);
  const resolution = Math.min(640 * root, 1.4e6 / root);
  const step = Math.max(Math.sqrt(variance) / resolution, sizes.total / LARGEST_LATTICE);
  return { step, slope: tilt / 2 };
}

/** m + c and -c^2 / 2V of the bound above. */
function thresholdShift(
  weights: Float64Array,
  rounded: Float64Array,
  step: number,
  slope: number,
): { amount: number; logExtra: number } {
  let mean = 0;
  let proxy = 0;
  let most = 0;
  let spread = 0;
  for (let index = 0; index < weights.length; index++) {
    const nearest = step * rounded[index]!;
    const error = weights[index]! - nearest;
    const bias = Math.tanh(slope * nearest);
    mean += error * bias;
    proxy += error * error;
    most += Math.abs(error);
    spread += nearest * nearest * (1 - bias * bias);
  }
  const depth = 8 + Math.log1p(slope * Math.sqrt(spread));
  const margin = Math.max(Math.sqrt(2 * proxy * depth), slope * proxy);
  if (most <= mean + margin) return { amount: most, logExtra: -Infinity };
  return { amount: mean + margin, logExtra: -(margin * margin) / (2 * proxy) };
}
