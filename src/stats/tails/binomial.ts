import { TouchmarkError } from '../../errors.ts';
import { LN10, log1mExp } from '../log-space.ts';
import { logBinomialMass } from './saddle-point.ts';

/**
 * Returns log10 P(X >= successes) for X ~ Binomial(trials, probability).
 *
 * The first term of the tail is Loader's (2000) saddle-point mass, the others follow by their
 * ratio. Above the mean the upper tail is summed; at or below it the lower tail is, and its
 * complement taken by log1p, so values near log10 p = 0 keep their relative accuracy too. Right to
 * 1e-9 relative from p near 1 down to p = 1e-10000; time grows as sqrt(trials).
 *
 * @throws INPUT_INVALID unless trials is an integer >= 0, successes an integer, and probability in
 * [0, 1].
 */
export function log10BinomialUpperTail(
  successes: number,
  trials: number,
  probability: number,
): number {
  check(successes, trials, probability);
  if (successes <= 0 || (probability === 1 && successes <= trials)) return 0;
  if (successes > trials || probability === 0) return -Infinity;
  if (successes > trials * probability) return logUpper(successes, trials, probability) / LN10;
  return log1mExp(logLower(successes - 1, trials, probability)) / LN10;
}

function logUpper(successes: number, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  const relativeSum = sumOfRatios((step) => {
    const count = successes + step;
    return ((trials - count) / (count + 1)) * odds;
  });
  return logBinomialMass(successes, trials, probability) + Math.log(relativeSum);
}

function logLower(successes: number, trials: number, probability: number): number {
  const odds = (1 - probability) / probability;
  const relativeSum = sumOfRatios((step) => {
    const count = successes - step;
    return (count / (trials - count + 1)) * odds;
  });
  return logBinomialMass(successes, trials, probability) + Math.log(relativeSum);
}

/** 1 + r0 + r0 r1 + ..., for decreasing ratios that fall below 1. */
function sumOfRatios(ratio: (step: number) => number): number {
  let sum = 1;
  let term = 1;
  for (let step = 0; ; step++) {
    const next = ratio(step);
    term *= next;
    sum += term;
    if (term <= 1e-18 * sum * (1 - next)) return sum;
  }
}

function check(successes: number, trials: number, probability: number): void {
  if (!Number.isSafeInteger(trials) || trials < 0 || !Number.isSafeInteger(successes)) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `binomial tail: ${successes} successes in ${trials} trials are not whole numbers`,
      { hint: 'Give counts as integers, with trials >= 0.' },
    );
  }
  if (!(probability >= 0 && probability <= 1)) {
    throw new TouchmarkError('INPUT_INVALID', `binomial tail: probability ${probability}`, {
      hint: 'Give a probability between 0 and 1.',
    });
  }
}
