import { log10BinomialUpperTail } from '../../stats/tails/binomial.ts';
import { log10GammaUpperTail } from '../../stats/tails/gamma.ts';
import type { Tilt } from '../../stats/tilt-betting.ts';

/**
 * The law of pair scores when the text does not depend on the key: scores of different pairs are
 * independent then, over keys.
 */
export interface ScoreLaw {
  /** The expected score of a pair. */
  readonly mean: number;
  /** log10 P(sum of `count` scores >= total), exact for an ideal pseudorandom function. */
  log10UpperTail(total: number, count: number): number;
  /** Bets of the e-process beside it, with exact costs. */
  readonly tilts: readonly Tilt[];
}

const greenLifts = [0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 0.95];
const exponentialSlopes = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const leafMeans = [0.505, 0.51, 0.52, 0.53, 0.55, 0.57, 0.6, 0.63, 0.67, 0.72];

/** Scores that are 1 with probability `share`, else 0. */
export function bernoulliLaw(share: number): ScoreLaw {
  return {
    mean: share,
    log10UpperTail: (total, count) => log10BinomialUpperTail(total, count, share),
    tilts: greenLifts.map((lift) => bernoulliTilt(share + (1 - share) * lift, share)),
  };
}

/** Scores that are -ln(1 - u) of uniform numbers u: standard exponential. */
export function exponentialLaw(): ScoreLaw {
  return {
    mean: 1,
    log10UpperTail: (total, count) => (count === 0 ? 0 : log10GammaUpperTail(count, total)),
    tilts: exponentialSlopes.map((slope) => ({ slope, cost: -Math.log1p(-slope) })),
  };
}

/** Scores that count the ones among `depth` fair bits. */
export function leavesLaw(depth: number): ScoreLaw {
  return {
    mean: depth / 2,
    log10UpperTail: (total, count) => log10BinomialUpperTail(total, count * depth, 0.5),
    tilts: leafMeans.map((mean) => {
      const { slope, cost } = bernoulliTilt(mean, 0.5);
      return { slope, cost: cost * depth };
    }),
  };
}

/** The likelihood ratio of Bernoulli(bet) to Bernoulli(share), as slope and cost. */
function bernoulliTilt(bet: number, share: number): Tilt {
  const miss = Math.log((1 - bet) / (1 - share));
  return { slope: Math.log(bet / share) - miss, cost: -miss };
}
