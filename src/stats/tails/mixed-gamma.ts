import { TouchmarkError } from '../../errors.ts';
import { LN10, log1mExp } from '../log-space.ts';
import { log10GammaUpperTail } from './gamma.ts';
import { logBinomialMass, logPoissonMass } from './saddle-point.ts';

/** Terms this far below the largest one, in natural logarithms, are left out. */
const negligible = 45;

/**
 * Returns log10 P((1 - alpha) A + alpha B >= value) for independent A and B that are Gamma(count, 1):
 * the tail of two sums of exponential scores that are mixed with fixed weights.
 *
 * With the larger scale s, the smaller one r and p = r / s, a Gamma(count) variable of scale s is a
 * Gamma(count + K) variable of scale r, K the failures before `count` successes of probability p
 * (Moschopoulos 1985, "The distribution of the sum of independent gamma random variables"). So the
 * tail is the sum over k of P(K = k) Q(2 count + k, value / r): positive terms only, whose ratios
 * follow from the recurrence of Q. Above the mean the upper tail is summed, below it the lower one.
 * Right to 1e-9 relative in log10 p for counts from 1 to 1e5, from p near 1 down to p = 1e-10000.
 *
 * @param alpha from 0.001 to 0.999; time grows as sqrt(count) / min(alpha, 1 - alpha)
 * @throws TouchmarkError INPUT_INVALID unless count is a whole number >= 1 and value >= 0
 */
export function log10MixedGammaUpperTail(count: number, alpha: number, value: number): number {
  check(count, alpha, value);
  if (value === 0) return 0;
  if (value === Infinity) return -Infinity;
  const small = Math.min(alpha, 1 - alpha);
  const mixture: Mixture = { count, hit: small / (1 - small), scaled: value / small };
  if (value > count) return logSum(mixture, upperTerms) / LN10;
  return log1mExp(Math.min(0, logSum(mixture, lowerTerms))) / LN10;
}

/** P(K = k) with K the failures before `count` successes of probability `hit`. */
interface Mixture {
  readonly count: number;
  readonly hit: number;
  readonly scaled: number;
}

interface Terms {
  /** log of term k, by itself. */
  log(mixture: Mixture, k: number): number;
  /** Which end of the significant terms their recurrence begins at. */
  readonly from: 'first' | 'last';
  /** The sum of the terms from k on, relative to term k. */
  sum(mixture: Mixture, k: number): number;
}

const upperTerms: Terms = {
  log: (mixture, k) => logWeight(mixture, k) + logUpper(2 * mixture.count + k, mixture.scaled),
  from: 'first',
  sum: ({ count, hit, scaled }, first) => {
    const shape = 2 * count + first;
    let increment = Math.exp(logPoissonMass(shape, scaled) - logUpper(shape, scaled));
    let term = 1;
    let sum = 1;
    for (let k = first; ; k++) {
      const ratio = (((count + k) * (1 - hit)) / (k + 1)) * (1 + increment);
      increment *= scaled / ((2 * count + k + 1) * (1 + increment));
      term *= ratio;
      sum += term;
      if (ratio < 1 && term <= 1e-18 * sum * (1 - ratio)) return sum;
    }
  },
};

const lowerTerms: Terms = {
  log: (mixture, k) => logWeight(mixture, k) + logLower(2 * mixture.count + k, mixture.scaled),
  from: 'last',
  sum: ({ count, hit, scaled }, last) => {
    const shape = 2 * count + last;
    let increment = Math.exp(logPoissonMass(shape - 1, scaled) - logLower(shape, scaled));
    let term = 1;
    let sum = 1;
    for (let k = last; k > 0; k--) {
      const ratio = (k / ((count + k - 1) * (1 - hit))) * (1 + increment);
      increment *= (2 * count + k - 1) / (scaled * (1 + increment));
      term *= ratio;
      sum += term;
      if (ratio < 1 && term <= 1e-18 * sum * (1 - ratio)) return sum;
    }
    return sum;
  },
};

function logSum(mixture: Mixture, terms: Terms): number {
  const logTerm = (k: number): number => terms.log(mixture, k);
  if (mixture.hit === 1) return logTerm(0);
  const peak = largestTerm(logTerm);
  const least = logTerm(peak) - negligible;
  const start =
    terms.from === 'first' ? firstAbove(logTerm, least, peak) : lastAbove(logTerm, least, peak);
  return logTerm(start) + Math.log(terms.sum(mixture, start));
}

/** The k of the largest term; the terms rise to it and fall after it. */
function largestTerm(logTerm: (k: number) => number): number {
  const falls = (k: number): boolean => logTerm(k + 1) <= logTerm(k);
  let below = -1;
  let step = 1;
  while (!falls(below + step)) {
    below += step;
    step *= 2;
  }
  let above = below + step;
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (falls(middle)) above = middle;
    else below = middle;
  }
  return above;
}

function firstAbove(logTerm: (k: number) => number, least: number, peak: number): number {
  let below = -1;
  let above = peak;
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (logTerm(middle) >= least) above = middle;
    else below = middle;
  }
  return above;
}

function lastAbove(logTerm: (k: number) => number, least: number, peak: number): number {
  let above = peak;
  let step = 1;
  while (logTerm(above + step) >= least) {
    above += step;
    step *= 2;
  }
  let below = above + step;
  while (below - above > 1) {
    const middle = Math.floor((below + above) / 2);
    if (logTerm(middle) >= least) above = middle;
    else below = middle;
  }
  return above;
}

function logWeight({ count, hit }: Mixture, k: number): number {
  if (hit === 1) return k === 0 ? 0 : -Infinity;
  return Math.log(count / (count + k)) + logBinomialMass(count, count + k, hit);
}

function logUpper(shape: number, value: number): number {
  return log10GammaUpperTail(shape, value) * LN10;
}

/** log P(X < value) for X ~ Gamma(shape, 1), by the series DLMF 8.7.1; value <= about shape. */
function logLower(shape: number, value: number): number {
  if (value >= shape + 1) return log1mExp(logUpper(shape, value));
  let sum = 1;
  let term = 1;
  for (let denominator = shape + 1; ; denominator++) {
    const ratio = value / denominator;
    term *= ratio;
    sum += term;
    if (term <= 1e-18 * sum * (1 - ratio)) break;
  }
  return logPoissonMass(shape, value) + Math.log(sum);
}

function check(count: number, alpha: number, value: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && alpha >= 0.001 && alpha <= 0.999 && value >= 0) {
    return;
  }
  throw new TouchmarkError(
    'INPUT_INVALID',
    `mixed gamma tail: count ${count}, alpha ${alpha}, value ${value}`,
    { hint: 'Give a whole count >= 1, an alpha from 0.001 to 0.999 and a value >= 0.' },
  );
}
