import gammaln from '@stdlib/math-base-special-gammaln';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/**
 * The error of Stirling's formula: log Gamma(n + 1) - [(n + 1/2) log n - n + log(2 pi) / 2], for
 * n > 0 (Loader 2000, "Fast and accurate computation of binomial probabilities", equation 4).
 * Absolute error below 1e-14.
 */
export function stirlingError(n: number): number {
  if (n <= 15) return gammaln(n + 1) - (n + 0.5) * Math.log(n) + n - HALF_LOG_2PI;
  const square = n * n;
  return (
    (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) /
    n
  );
}

/**
 * The deviance x log(x / mean) + mean - x, for x > 0 and mean > 0, without cancellation near
 * x = mean (Loader 2000, section 4, function bd0).
 */
export function deviance(x: number, mean: number): number {
  const difference = x - mean;
  if (Math.abs(difference) >= 0.1 * (x + mean)) return x * Math.log(x / mean) - difference;
  const ratio = difference / (x + mean);
  const square = ratio * ratio;
  let sum = difference * ratio;
  let power = 2 * x * ratio;
  for (let odd = 3; ; odd += 2) {
    power *= square;
    const next = sum + power / odd;
    if (next === sum) return sum;
    sum = next;
  }
}

/**
 * log P(X = successes) for X ~ Binomial(trials, probability), by the saddle-point expansion of
 * Loader (2000, equation 6). 0 <= successes <= trials, 0 < probability < 1.
 */
export function logBinomialMass(successes: number, trials: number, probability: number): number {
  const failure = 1 - probability;
  const failures = trials - successes;
  if (successes === 0) return trials * Math.log1p(-probability);
  if (failures === 0) {
    return trials * (probability > 0.5 ? Math.log1p(-failure) : Math.log(probability));
  }
  const correction =
    stirlingError(trials) -
    stirlingError(successes) -
    stirlingError(failures) -
    deviance(successes, trials * probability) -
    deviance(failures, trials * failure);
  return correction - HALF_LOG_2PI - 0.5 * (Math.log(successes) + Math.log1p(-successes / trials));
}

/**
 * log of mean^x e^-mean / Gamma(x + 1), the Poisson mass at a real x > 0, by the saddle-point
 * expansion of Loader (2000, equation 9). mean > 0.
 */
export function logPoissonMass(x: number, mean: number): number {
  return -HALF_LOG_2PI - 0.5 * Math.log(x) - stirlingError(x) - deviance(x, mean);
}
