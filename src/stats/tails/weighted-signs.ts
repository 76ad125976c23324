import { TouchmarkError } from '../../errors.ts';
import { LN10, log1mExp } from '../log-space.ts';
import { commonUnit } from './common-unit.ts';
import { countSubsetsUpTo } from './sign-enumeration.ts';
import { logRoundedSignTail } from './sign-rounding.ts';
import { groupSizes, solveTilt, tiltedSubsetTail } from './subset-sums.ts';

const LARGEST_ENUMERATION = 36;
const LARGEST_LATTICE = 2 ** 22;

/** An upper tail in log10; a conservative one is never below the true value. */
export interface WeightedSignTail {
  readonly log10P: number;
  readonly exactness: 'exact' | 'conservative';
}

/**
 * Returns log10 P(sum of s_i w_i >= threshold) for independent fair signs s_i.
 *
 * Null hypothesis: the signs are fair and independent of the weights and of the threshold's rule.
 * Signs of weights do not matter, and zeros are skipped. Exact for up to 36 weights (by
 * enumeration) and for weights that are whole multiples of a common unit with a total of at most
 * 2^22 units (by tilted convolution on the lattice; seconds at the very limit). Otherwise
 * conservative, by the bound of `logRoundedSignTail`: never below the true tail, and at most .5%
 * or .005 in log10, whichever is more, above the true tail at a threshold lower by ||w|| / 100 (for
 * up to 5,000 weights and down to p = 1e-1000). Where no few weights dominate, that holds at the
 * threshold itself. A sum that equals the threshold up to the rounding of doubles (n 2^-52 of the
 * total weight, or a millionth of the unit) counts as reaching it.
 *
 * @throws INPUT_INVALID if a weight is not finite or the threshold is NaN.
 */
export function log10WeightedSignUpperTail(
  weights: ArrayLike<number>,
  threshold: number,
): WeightedSignTail {
  const sizes = absoluteNonzero(weights, threshold);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const rounding = sizes.length * total * 2 ** -52;
  if (threshold > total + rounding) return { log10P: -Infinity, exactness: 'exact' };
  if (threshold <= -total + rounding) return { log10P: 0, exactness: 'exact' };
  if (sizes.length <= LARGEST_ENUMERATION) {
    const count = countSubsetsUpTo(sizes, (total - threshold + rounding) / 2);
    return { log10P: log10Share(count, 2 ** sizes.length), exactness: 'exact' };
  }
  const unit = commonUnit(sizes, LARGEST_LATTICE);
  if (unit !== undefined) {
    const multiples = sizes.map((size) => Math.round(size / unit));
    return { log10P: logLatticeTail(multiples, threshold / unit) / LN10, exactness: 'exact' };
  }
  return {
    log10P: logRoundedSignTail(sizes, threshold - rounding) / LN10,
    exactness: 'conservative',
  };
}

function absoluteNonzero(weights: ArrayLike<number>, threshold: number): Float64Array {
  const sizes = Float64Array.from(weights, Math.abs);
  const bad = sizes.findIndex((size) => !Number.isFinite(size));
  if (bad >= 0) {
    throw new TouchmarkError('INPUT_INVALID', `weighted signs: weight ${bad} is ${weights[bad]}`, {
      hint: 'Every weight must be a finite number.',
    });
  }
  if (Number.isNaN(threshold)) {
    throw new TouchmarkError('INPUT_INVALID', 'weighted signs: the threshold is not a number', {
      hint: 'Give the observed sum of signs times weights.',
    });
  }
  return sizes.filter((size) => size > 0);
}

function log10Share(count: number, all: number): number {
  return (2 * count > all ? Math.log1p(-(all - count) / all) : Math.log(count / all)) / LN10 + 0;
}

/**
 * log P(sum of s_i k_i >= threshold) for whole k_i: the minuses sum to at most (total - threshold)
 * / 2.
 */
function logLatticeTail(multiples: Float64Array, threshold: number): number {
  const sizes = groupSizes(multiples);
  const limit = Math.floor((sizes.total - threshold) / 2 + 1e-6);
  if (2 * limit >= sizes.total) return log1mExp(logSubsetTail(sizes.total - limit - 1));
  return logSubsetTail(limit);

  function logSubsetTail(most: number): number {
    if (most < 0) return -Infinity;
    const tail = tiltedSubsetTail(sizes, most, solveTilt(sizes, most), 1e-22);
    return tail.scale + Math.log(tail.sum);
  }
}
