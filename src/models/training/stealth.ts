import type { Input } from '../../contracts.ts';
import { seededRandom } from '../../stats/sampling.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import { crossFit } from './cross-fit.ts';
import { stealthReader } from './stealth-features.ts';

export interface StealthOptions {
  /** How the watermark profile reads inputs. */
  readonly features: FeatureMap;
  /** Of the folds. */
  readonly seed?: string;
  /** Called before each fit; may throw to stop. */
  readonly progress?: () => void;
}

/** How well traps can be told from traffic. */
export interface Stealth {
  /** Area under the ROC curve; .5 is chance. Null when there are too few inputs to tell. */
  readonly areaUnderCurve: number | null;
  readonly classifier: string;
  /** Inputs of either side that were looked at. */
  readonly traps: number;
  readonly traffic: number;
}

/** The area under the curve above which traps do not look like traffic. */
export const largestTrapArea = 0.6;

const folds = 5;
const repeats = 2;
/** With fewer on either side the area says little: at 20 traps its standard error is near .07. */
const fewest = 20;
/** More of a side make the measurement slower and hardly sharper. */
const most = 2000;

/**
 * Measures how well a held-out classifier tells traps from traffic: a penalised logistic regression
 * on what `stealthReader` reads, cross-fitted in five folds, twice; the mean over folds of the area
 * under the ROC curve (Mann and Whitney 1947). Of more than 2,000 inputs, or of traffic more than 500
 * and ten for each trap, as many are taken, at random.
 *
 * @param traffic logged questions that are no traps
 * @throws INPUT_INVALID for an input that is not of the kind or shape that `features` reads
 */
export function measureStealth(
  traps: readonly Input[],
  traffic: readonly Input[],
  { features, seed = 'stealth', progress }: StealthOptions,
): Stealth {
  const random = seededRandom(seed);
  const sample = (inputs: readonly Input[], limit: number) =>
    inputs.length > limit ? random.choose(inputs, limit) : inputs;
  const positives = sample(traps, most);
  const negatives = sample(traffic, Math.min(most, Math.max(500, 10 * positives.length)));
  const measured = {
    classifier: `logistic regression, ${folds} folds, ${repeats} times`,
    traps: positives.length,
    traffic: negatives.length,
  };
  if (Math.min(positives.length, negatives.length) < fewest) {
    return { areaUnderCurve: null, ...measured };
  }
  const { dimensions, read } = stealthReader(features, [...positives, ...negatives]);
  const examples = [
    ...positives.map((input) => ({ row: read(input), positive: true })),
    ...negatives.map((input) => ({ row: read(input), positive: false })),
  ];
  let sum = 0;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const options = { dimensions, folds, random, ...(progress && { progress }) };
    sum += crossFit(examples, options).areaUnderCurve;
  }
  return { areaUnderCurve: sum / repeats, ...measured };
}
