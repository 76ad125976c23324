import type { Input } from '../../contracts.ts';
import { crossFit } from '../../models/training/cross-fit.ts';
import { trainLogistic } from '../../models/training/logistic.ts';
import { largestTrapArea, measureStealth, type Stealth } from '../../models/training/stealth.ts';
import { stealthReader } from '../../models/training/stealth-features.ts';
import { seededRandom } from '../../stats/sampling.ts';
import { chooseAlikeTraffic } from '../../traps/kinds/region-selection.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import type { RatedQuestion } from './candidates.ts';

export interface ChoiceOptions {
  /** How many are wanted. */
  readonly count: number;
  /** With fewer there is no lot. */
  readonly least: number;
  /** The owner's ordinary questions. */
  readonly traffic: readonly Input[];
  readonly features: FeatureMap;
  readonly seed: string;
  /** Called before each fit; may throw to stop. */
  readonly progress: () => void;
}

/** Traps that were chosen, and how they look beside traffic. */
export interface StealthyChoice {
  readonly chosen: readonly RatedQuestion[];
  readonly stealth: Stealth;
  /** The area under the curve of the best candidates, had looks not mattered. */
  readonly areaOfBest: number | null;
}

/** Candidates for each trap that the choice is made among. */
const latitude = 32;
const bins = 5;
const folds = 5;
const mostRounds = 10;
/** How much of what one classifier says is believed; all of it would overshoot. */
const caution = 0.5;
/** Below the bar: the least of several estimates is an underestimate. */
const aim = 0.57;
const mostTraffic = 2000;
/** With fewer on a side folds say nothing. */
const fewest = 20;

/**
 * Chooses the best candidates that look like traffic. It takes the best ones, has a cross-fitted
 * classifier tell them from traffic, adds what that says of every candidate to its conspicuousness,
 * and chooses again with conspicuousness spread as over traffic (`chooseAlikeTraffic`), until the area
 * under the curve is at most .57 or ten rounds are over; the choice with the least area stands. The
 * recorded area is of other folds.
 */
export function chooseStealthy(
  rated: readonly RatedQuestion[],
  { count, least, traffic, features, seed, progress }: ChoiceOptions,
): StealthyChoice {
  const random = seededRandom(`${seed}/propensity`);
  const ordinary = traffic.length > mostTraffic ? random.choose(traffic, mostTraffic) : traffic;
  const among = rated.slice(0, latitude * count);
  let chosen: readonly RatedQuestion[] = among.slice(0, count);
  let best: { readonly chosen: typeof chosen; readonly area: number } | undefined;
  let areaOfBest: number | null = null;
  if (Math.min(chosen.length, ordinary.length) >= fewest) {
    const inputs = [...among.map(({ input }) => input), ...ordinary];
    const { dimensions, read } = stealthReader(features, inputs);
    const rows = inputs.map(read);
    const conspicuous = new Float64Array(rows.length);
    for (let round = 0; round < mostRounds && chosen.length >= least; round += 1) {
      const kept = new Set(chosen);
      const examples = rows.flatMap((row, index) => {
        const isTraffic = index >= among.length;
        return isTraffic || kept.has(among[index]!) ? [{ row, positive: !isTraffic, index }] : [];
      });
      const fit = crossFit(examples, { dimensions, folds, random, progress });
      areaOfBest ??= fit.areaUnderCurve;
      if (best === undefined || fit.areaUnderCurve < best.area) {
        best = { chosen, area: fit.areaUnderCurve };
      }
      if (fit.areaUnderCurve <= aim) break;
      const logit = trainLogistic(examples, { dimensions });
      const own = new Map(examples.map(({ index }, place) => [index, fit.logits[place]!]));
      rows.forEach((row, index) => {
        conspicuous[index]! += caution * (own.get(index) ?? logit(row));
      });
      chosen = chooseAlike(among, conspicuous, count);
    }
  }
  const final = best?.chosen ?? chosen;
  const stealth = measureStealth(
    final.map(({ input }) => input),
    ordinary,
    { features, seed: `${seed}/final`, progress },
  );
  return { chosen: final, stealth, areaOfBest };
}

/** Decides whether traps look like traffic; those that are too few to tell pass. */
export function looksLikeTraffic({ areaUnderCurve }: Stealth): boolean {
  return areaUnderCurve === null || areaUnderCurve <= largestTrapArea;
}

function chooseAlike(
  among: readonly RatedQuestion[],
  conspicuous: Float64Array,
  count: number,
): RatedQuestion[] {
  const kept = new Set(
    chooseAlikeTraffic(
      among.map(({ rating }) => rating),
      [...conspicuous.subarray(0, among.length)],
      [...conspicuous.subarray(among.length)],
      { count, bins },
    ),
  );
  return among.filter(({ rating }) => kept.has(rating));
}
