import gammaln from '@stdlib/math-base-special-gammaln';
import jstat from 'jstat';
import { TouchmarkError } from '../errors.ts';
import { logSumExp } from './log-space.ts';

/**
 * Returns the two-sided interval of Clopper and Pearson (1934) for a success probability: it covers
 * the true value with at least the given confidence, whatever that value is.
 *
 * @throws INPUT_INVALID unless 0 <= successes <= trials are integers, trials >= 1, 0 < confidence <
 * 1.
 */
export function clopperPearson(
  successes: number,
  trials: number,
  confidence: number,
): { lower: number; upper: number } {
  checkProportion(successes, trials, confidence);
  const tail = (1 - confidence) / 2;
  return {
    lower: lowerQuantile(successes, trials, tail),
    upper: 1 - lowerQuantile(trials - successes, trials, tail),
  };
}

/**
 * Returns the one-sided lower bound of Clopper and Pearson (1934) for one of `checks` rates, at the
 * confidence 1 - (1 - confidence) / checks (Bonferroni): with the given confidence all of the
 * bounds hold at once. A calibration fails when this bound exceeds the nominal rate.
 *
 * @throws INPUT_INVALID as `clopperPearson`, and unless checks is an integer >= 1.
 */
export function adjustedLowerBound(
  successes: number,
  trials: number,
  confidence: number,
  checks: number,
): number {
  checkProportion(successes, trials, confidence);
  if (!Number.isSafeInteger(checks) || checks < 1) {
    throw new TouchmarkError('INPUT_INVALID', `bounds: ${checks} checks`, {
      hint: 'Count all checks of the calibration, at least 1.',
    });
  }
  return lowerQuantile(successes, trials, (1 - confidence) / checks);
}

/**
 * Tests whether p-values are stochastically smaller than uniform (which would make them invalid).
 *
 * Null hypothesis: they are independent and super-uniform. `statistic` is D+ = max(i / n - p_(i)),
 * and `superUniformP` = P(D+ >= statistic) for uniform ones, exact by Birnbaum and Tingey (1951): d
 * sum over j <= n (1 - d) of C(n, j) (d + j / n)^(j - 1) (1 - d - j / n)^(n - j). Super-uniform,
 * for example discrete, p-values only make D+ smaller. For one of m checks compare it with level /
 * m.
 *
 * @throws INPUT_INVALID for no p-values or one outside [0, 1].
 */
export function kolmogorovSmirnov(pValues: ArrayLike<number>): {
  statistic: number;
  superUniformP: number;
} {
  const sorted = Float64Array.from(pValues).sort();
  const bad = sorted.find((value) => !(value >= 0 && value <= 1));
  if (sorted.length === 0 || bad !== undefined) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `Kolmogorov-Smirnov: ${sorted.length === 0 ? 'no p-values' : `a p-value is ${bad}`}`,
      { hint: 'Give at least one p-value; each lies between 0 and 1.' },
    );
  }
  let statistic = 0;
  sorted.forEach((value, index) => {
    statistic = Math.max(statistic, (index + 1) / sorted.length - value);
  });
  return { statistic, superUniformP: birnbaumTingey(sorted.length, statistic) };
}

function birnbaumTingey(count: number, distance: number): number {
  if (distance <= 0) return 1;
  const logTerms: number[] = [];
  for (let j = 0; j < count * (1 - distance); j++) {
    const rest = 1 - distance - j / count;
    if (rest <= 0) break;
    const logChoose = gammaln(count + 1) - gammaln(j + 1) - gammaln(count - j + 1);
    logTerms.push(
      logChoose + (j - 1) * Math.log(distance + j / count) + (count - j) * Math.log(rest),
    );
  }
  if (logTerms.length === 0) return 0;
  return Math.min(1, distance * Math.exp(logSumExp(logTerms)));
}

function lowerQuantile(successes: number, trials: number, tail: number): number {
  return successes === 0 ? 0 : jstat.beta.inv(tail, successes, trials - successes + 1);
}

function checkProportion(successes: number, trials: number, confidence: number): void {
  const whole = Number.isSafeInteger(successes) && Number.isSafeInteger(trials) && trials >= 1;
  if (!whole || successes < 0 || successes > trials || !(confidence > 0 && confidence < 1)) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `bounds: ${successes} successes in ${trials} trials at confidence ${confidence}`,
      { hint: 'Successes lie in 0..trials, trials >= 1, confidence between 0 and 1.' },
    );
  }
}
