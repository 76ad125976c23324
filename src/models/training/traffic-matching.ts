import type { Input } from '../../contracts.ts';
import { seededRandom } from '../../stats/sampling.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import { marginThreshold } from '../../watermark/label/coins.ts';
import type { SparseVector } from '../../watermark/probability/features.ts';
import { type CrossFitOptions, crossFit } from './cross-fit.ts';
import { type LabelledRow, logitSlope, trainLogistic } from './logistic.ts';
import { largestTrapArea } from './stealth.ts';
import { stealthReader } from './stealth-features.ts';

/** A question and what matters of the protected model's clean answer to it. */
export interface AnsweredInput {
  readonly input: Input;
  /** The difference of the two largest probabilities, and the indices of their classes. */
  readonly margin: number;
  readonly pair: readonly [top: number, second: number];
}

export interface MatchingOptions {
  readonly features: FeatureMap;
  readonly classes: number;
  /** tau of the watermark profile: a smaller margin makes a coin. */
  readonly threshold: number;
  /** The area under the curve at which traps look enough like traffic; .6 by default, 1 keeps all. */
  readonly largestArea?: number;
  /** Called before each fit; may throw to stop. */
  readonly progress?: () => void;
}

/** With what probability a coin is to be kept for those that are kept to look like traffic. */
export interface TrafficMatching {
  /** In 0..1; a function of the question and its clean answer alone. */
  keep(question: AnsweredInput): number;
}

const folds = 5;
/** The most recent questions that a fit looks at. */
const most = 3000;
/** Coins are few; the share of questions with the least margins looks much like them. */
const alikeShare = 0.2;
/** Shares of the coins that are kept for sure, from the mildest thinning to the strongest. */
const surelyKept = [0.25, 0.1, 0.03] as const;
/** With fewer coins the areas say too little to choose a strength by. */
const fewestToChoose = 32;
const usual = 0.1;

/**
 * Fits how coins are to be thinned to look like traffic, by rejection sampling: with g the log ratio
 * of their density to that of traffic, a coin is kept with the probability min(1, exp(g_q - g)),
 * where g_q is the quantile q of g over the coins.
 *
 * g is a logistic regression on what `stealthReader` reads and on the two best classes. It learns
 * from the fifth of the questions with the least margins, against the rest, and is stretched as coins
 * want it. q is the largest of .25, .1 and .03 with which a fresh classifier, on other folds, tells
 * weighted coins from traffic with an area of at most `largestArea`; below 32 coins it is .1. Coins that look
 * like traffic as they are, are all kept.
 *
 * @param earlier questions with at least five coins, and five without; of more than 3,000 the last
 * @throws INPUT_INVALID for an input that is not of the kind or shape that `features` reads
 */
export function fitTrafficMatching(
  earlier: readonly AnsweredInput[],
  { features, classes, threshold, largestArea = largestTrapArea, progress }: MatchingOptions,
): TrafficMatching {
  const questions = earlier.slice(-most);
  const margins = questions.map(({ margin }) => margin);
  const alike = Math.max(threshold, marginThreshold(margins, alikeShare));
  const reader = stealthReader(
    features,
    questions.map(({ input }) => input),
  );
  const dimensions = reader.dimensions + classes;
  const read = (question: AnsweredInput) =>
    withPair(reader.read(question.input), reader.dimensions, question.pair);
  const random = seededRandom('traffic-matching');
  const options = { dimensions, folds, random, ...(progress && { progress }) };
  const examples = questions.map((question) => ({
    row: read(question),
    positive: question.margin < alike,
  }));
  const { logits } = crossFit(examples, options);
  const isCoin = margins.map((margin) => margin < threshold);
  const slope = logitSlope(logits, isCoin);
  const ratios = logits.flatMap((logit, index) => (isCoin[index] ? [slope * logit] : []));
  const coins = questions.filter((_, index) => isCoin[index]);
  const traffic = questions.filter((_, index) => !isCoin[index]);
  const cut = chooseCut(
    [coins, traffic].map((side) => side.map(({ input }) => reader.read(input))),
    ratios,
    { ...options, dimensions: reader.dimensions, largestArea },
  );
  if (cut === undefined) return { keep: () => 1 };
  progress?.();
  const logit = trainLogistic(examples, { dimensions });
  return { keep: (question) => keptWith(slope * logit(read(question)), cut) };
}

/** Returns g_q of the thinning that suffices; undefined where none is needed. */
function chooseCut(
  [coins, traffic]: readonly (readonly SparseVector[])[],
  ratios: readonly number[],
  options: CrossFitOptions & { readonly largestArea: number },
): number | undefined {
  const sorted = [...ratios].sort((left, right) => left - right);
  const cutAt = (share: number) => sorted[Math.floor(share * sorted.length)]!;
  if (ratios.length < fewestToChoose) return cutAt(usual);
  const area = (weightOf: (index: number) => number) => {
    const examples: LabelledRow[] = [
      ...coins!.map((row, index) => ({ row, positive: true, weight: weightOf(index) })),
      ...options.random
        .choose(traffic!, Math.min(traffic!.length, Math.max(300, 5 * coins!.length)))
        .map((row) => ({ row, positive: false })),
    ];
    return crossFit(examples, options).areaUnderCurve;
  };
  if (area(() => 1) <= options.largestArea) return undefined;
  const cuts = surelyKept.map(cutAt);
  return (
    cuts.find((cut) => area((index) => keptWith(ratios[index]!, cut)) <= options.largestArea) ??
    cuts.at(-1)
  );
}

function withPair(
  { indices, values }: SparseVector,
  base: number,
  pair: AnsweredInput['pair'],
): SparseVector {
  return {
    indices: Uint32Array.from([...indices, ...pair.map((label) => base + label)]),
    values: Float32Array.from([...values, 0.5, 0.5]),
  };
}

function keptWith(ratio: number, cut: number): number {
  return Math.min(1, Math.exp(cut - ratio));
}
