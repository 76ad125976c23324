import { TouchmarkError } from '../errors.ts';
import { LN10, logSumExp } from './log-space.ts';

/**
 * Bets of the fixed-sample mixture, in units of 1 / ||scores||: about the z that each suits best.
 */
const sharedBets = [0.5, 1, 1.5, 2, 3, 4, 6, 8, 11, 15];

/**
 * Bets of the sequential mixture, in units of 1 / scale. A bet b suits a mean of sign x score of b
 * scales and keeps 3/4 of the growth of any mean within a factor 2 of it: .03 is the least that can
 * earn over 5,000 records, 2 wins .97 of the most that a sign can give.
 */
const sequentialBets = [0.03, 0.06, 0.12, 0.25, 0.5, 1, 2];

/**
 * Returns log10 of the fixed-sample e-value of the signed sum T = sum of s_j C_j: the equal mixture
 * over lambda in {.5, 1, 1.5, 2, 3, 4, 6, 8, 11, 15} / ||C|| of exp(lambda T) / prod cosh(lambda
 * C_j).
 *
 * Null hypothesis: the signs are fair, independent of one another and of the scores. Since
 * E[exp(lambda s C)] = cosh(lambda C), every component has the expectation 1. All scores 0: 0 bans.
 *
 * @throws INPUT_INVALID for lengths that differ, a score that is not finite, a sign other than +-1.
 */
export function signMixtureLog10E(scores: ArrayLike<number>, signs: ArrayLike<number>): number {
  if (scores.length !== signs.length) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `sign mixture: ${scores.length} scores but ${signs.length} signs`,
      { hint: 'Give one sign per score.' },
    );
  }
  let largest = 0;
  for (let index = 0; index < scores.length; index++) {
    checkPair(signs[index]!, scores[index]!, index);
    largest = Math.max(largest, Math.abs(scores[index]!));
  }
  if (largest === 0) return 0;
  const scaled = Float64Array.from(scores, (score) => score / largest);
  const norm = Math.sqrt(scaled.reduce((sum, score) => sum + score * score, 0));
  const logValues = sharedBets.map((bet) => {
    const lambda = bet / norm;
    return scaled.reduce((sum, score, index) => sum + logGain(lambda * signs[index]! * score), 0);
  });
  return (logSumExp(logValues) - Math.log(sharedBets.length)) / LN10;
}

/**
 * The e-process of a keyed sign per record: each record multiplies the wealth of every bet lambda
 * by exp(lambda s g) / cosh(lambda g); the e-value is the mean wealth over lambda in {.03, .06,
 * .12, .25, .5, 1, 2} / scale.
 *
 * Null hypothesis: each sign s is a fair coin given the past and its own score g. The score may be
 * any number fixed before the sign fell. Then the wealth is a test martingale, valid at every
 * stopping time (Shafer and Vovk 2019, chapter 1; Ramdas et al. 2023, section 3).
 */
export class SignBetting {
  readonly #lambdas: readonly number[];
  readonly #logWealth: number[];
  #trials = 0;

  /**
   * @param scale the typical size of a score (its root mean square), frozen before the first sign:
   * from the owner's own data, never from the signs.
   * @throws INPUT_INVALID unless scale is finite and > 0.
   */
  constructor(scale: number) {
    if (!(scale > 0 && scale < Infinity)) {
      throw new TouchmarkError('INPUT_INVALID', `sign betting: the scale is ${scale}`, {
        hint: 'Give the root mean square of the scores on owner data, a finite number above 0.',
      });
    }
    this.#lambdas = sequentialBets.map((bet) => bet / scale);
    this.#logWealth = sequentialBets.map(() => 0);
  }

  /**
   * Bets on one more sign (+1 or -1).
   *
   * @throws INPUT_INVALID for a score that is not finite or a sign other than +-1.
   */
  fold(sign: number, score: number): void {
    checkPair(sign, score, this.#trials);
    this.#trials++;
    this.#lambdas.forEach((lambda, index) => {
      this.#logWealth[index]! += logGain(lambda * sign * score);
    });
  }

  /** log10 of the present e-value (not of its running maximum, which is not an e-value). */
  get log10E(): number {
    return (logSumExp(this.#logWealth) - Math.log(this.#logWealth.length)) / LN10;
  }

  get trials(): number {
    return this.#trials;
  }
}

/**
 * log(e^x / cosh x), without overflow: the gain of a bet of size |x| that wins (x > 0) or loses.
 */
function logGain(x: number): number {
  const size = Math.abs(x);
  return Math.LN2 - Math.log1p(Math.exp(-2 * size)) + x - size;
}

function checkPair(sign: number, score: number, index: number): void {
  if (Math.abs(sign) !== 1 || !Number.isFinite(score)) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `sign betting: record ${index} has sign ${sign} and score ${score}`,
      { hint: 'Signs are +1 or -1 and scores are finite; leave records without a score out.' },
    );
  }
}
