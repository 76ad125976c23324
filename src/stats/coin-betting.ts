import gammaln from '@stdlib/math-base-special-gammaln';
import { TouchmarkError } from '../errors.ts';
import { LN10, logSumExp } from './log-space.ts';

/** The success probabilities that the fixed equal mixture bets on. */
const bets = [0.52, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.995];
const hitGains = bets.map((bet) => Math.log(2 * bet));
const missGains = bets.map((bet) => Math.log(2 * (1 - bet)));

/**
 * Returns log10 of the e-value of `hits` hits among `trials` coins: the equal mixture over q in
 * {.52, .55, ..., .98, .995} of (2 q)^hits (2 (1 - q))^misses.
 *
 * Null hypothesis: each hit is a fair coin given the past. Then every component is a test
 * martingale, and so is their mean: valid at every stopping time (Shafer and Vovk 2019,
 * "Game-Theoretic Foundations for Probability and Finance", chapter 1; Waudby-Smith and Ramdas
 * 2024, section 4). The records must be folded in served order for the past to be a past.
 *
 * @throws INPUT_INVALID unless 0 <= hits <= trials are integers.
 */
export function coinBettingLog10E(hits: number, trials: number): number {
  if (!Number.isSafeInteger(trials) || !Number.isSafeInteger(hits) || hits < 0 || hits > trials) {
    throw new TouchmarkError('INPUT_INVALID', `coin betting: ${hits} hits among ${trials} coins`, {
      hint: 'Give whole numbers with 0 <= hits <= trials.',
    });
  }
  const misses = trials - hits;
  const logWealth = bets.map((_, index) => hits * hitGains[index]! + misses * missGains[index]!);
  return (logSumExp(logWealth) - Math.log(bets.length)) / LN10;
}

/**
 * Returns the mean of `coinBettingLog10E` over Binomial(trials, share) hits: the bans to expect of a
 * suspect that repeats each coin with the probability `share`.
 *
 * @throws INPUT_INVALID unless trials is an integer >= 0 and 0 <= share <= 1
 */
export function expectedCoinBans(trials: number, share: number): number {
  if (!(share >= 0 && share <= 1)) {
    throw new TouchmarkError('INPUT_INVALID', `coin betting: a share of ${share}`, {
      hint: 'Give a probability.',
    });
  }
  if (share === 0 || share === 1) return coinBettingLog10E(share * trials, trials);
  let mean = coinBettingLog10E(0, trials) * (1 - share) ** trials;
  for (let hits = 1; hits <= trials; hits += 1) {
    const logChoose = gammaln(trials + 1) - gammaln(hits + 1) - gammaln(trials - hits + 1);
    const logMass = logChoose + hits * Math.log(share) + (trials - hits) * Math.log(1 - share);
    mean += Math.exp(logMass) * coinBettingLog10E(hits, trials);
  }
  return mean;
}

/** The e-process of `coinBettingLog10E`, coin by coin. */
export class CoinBetting {
  #hits = 0;
  #trials = 0;

  /** Bets on one more coin, which must be fair given all that was folded before, under the null. */
  fold(hit: boolean): void {
    this.#trials++;
    if (hit) this.#hits++;
  }

  /** log10 of the present e-value (not of its running maximum, which is not an e-value). */
  get log10E(): number {
    return coinBettingLog10E(this.#hits, this.#trials);
  }

  get trials(): number {
    return this.#trials;
  }

  get hits(): number {
    return this.#hits;
  }
}
