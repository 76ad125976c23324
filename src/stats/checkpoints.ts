import { TouchmarkError } from '../errors.ts';
import { log10WeightedMean } from './merging.ts';

/**
 * Returns the weights, summing to 1, of `count` preset checkpoints of a statistic whose signs all
 * probes share: checkpoint k of K has the weight 1 / (K + 1 - k) over the harmonic number of K. The
 * last, where most evidence is, pays least (.43 bans at K = 8) and the first most (1.34).
 *
 * @throws INPUT_INVALID unless count is an integer >= 1.
 */
export function checkpointWeights(count: number): number[] {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new TouchmarkError('INPUT_INVALID', `checkpoints: the count is ${count}`, {
      hint: 'Plan at least one checkpoint.',
    });
  }
  const shares = Array.from({ length: count }, (_, index) => 1 / (count - index));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/**
 * Returns log10 of the sum of w_k E_k over the checkpoints reached so far, in order; those not
 * reached count 0, so it is -Infinity before the first.
 *
 * Null hypothesis: that of the statistic; each E_k is then an e-value by itself. The partial sums
 * only grow, and the whole sum has an expectation of at most sum w_k <= 1, so the value is valid at
 * every stopping time, although the E_k share their signs and are no martingale.
 *
 * @throws INPUT_INVALID for more e-values than weights, and as `log10WeightedMean`.
 */
export function combineCheckpoints(log10Es: readonly number[], weights: readonly number[]): number {
  const missing = Math.max(0, weights.length - log10Es.length);
  return log10WeightedMean([...log10Es, ...new Array<number>(missing).fill(-Infinity)], weights);
}
