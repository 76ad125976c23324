import { TouchmarkError } from '../errors.ts';
import { LN10, logAddExp, logSumExp } from './log-space.ts';

/**
 * Returns log10 of the product of e-values given as log10 E (0 for none).
 *
 * The product is an e-value when the e-values are independent, or each is one given those before it
 * (Vovk and Wang 2021, section 4). Whether they are is the caller's to know.
 *
 * @throws INPUT_INVALID if one is NaN or +Infinity.
 */
export function log10Product(log10Es: readonly number[]): number {
  checkLog10Es(log10Es);
  return log10Es.reduce((sum, value) => sum + value, 0);
}

/**
 * Returns log10 of the weighted mean of e-values given as log10 E: an e-value under any dependence
 * (Vovk and Wang 2021, section 3). Weights that sum to less than 1 leave the rest on an e-value of
 * 0.
 *
 * @throws INPUT_INVALID for lengths that differ, a negative weight, a sum above 1 + 1e-12, or an
 * e-value that is NaN or infinite.
 */
export function log10WeightedMean(log10Es: readonly number[], weights: readonly number[]): number {
  checkLog10Es(log10Es);
  if (log10Es.length !== weights.length) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `merging: ${log10Es.length} e-values but ${weights.length} weights`,
      { hint: 'Give one weight per e-value.' },
    );
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!weights.every((weight) => weight >= 0) || sum > 1 + 1e-12) {
    throw new TouchmarkError('INPUT_INVALID', `merging: the weights are [${weights.join(', ')}]`, {
      hint: 'Weights are >= 0 and sum to at most 1.',
    });
  }
  return logSumExp(log10Es.map((value, index) => value * LN10 + Math.log(weights[index]!))) / LN10;
}

/**
 * Returns log10 of (1 + E) / 2: half of the stake is kept back, so at most .31 bans can be lost.
 */
export function log10Hedged(log10E: number): number {
  checkLog10Es([log10E]);
  return (logAddExp(0, log10E * LN10) - Math.LN2) / LN10;
}

function checkLog10Es(log10Es: readonly number[]): void {
  const bad = log10Es.findIndex((value) => !(value < Infinity));
  if (bad >= 0) {
    throw new TouchmarkError('INPUT_INVALID', `merging: log10 E number ${bad} is ${log10Es[bad]}`, {
      hint: 'An e-value is a finite number >= 0.',
    });
  }
}
