import type { Input } from '../../contracts.ts';
import { seededRandom } from '../../stats/sampling.ts';
import type { RegionTrapSet } from '../../traps/kinds/region.ts';
import { encodeInput } from '../../traps/trap-set.ts';
import { interrupted, type ProtectedModel } from '../answer-collection.ts';
import { distinct, type RatedQuestion, rateQuestions } from './candidates.ts';
import { chooseStealthy, looksLikeTraffic } from './choose-stealthy.ts';
import {
  candidatesByBisection,
  candidatesByGradient,
  candidatesOfPool,
  type FindOptions,
} from './find-candidates.ts';
import { measureRegion, type RegionMeasurement } from './measure-region.ts';
import type { RegionModels } from './region-models.ts';

/** Where candidates come from. */
export type RegionSource = Extract<RegionTrapSet['source'], 'pool' | 'bisection' | 'gradient'>;

export interface RegionBuildOptions {
  readonly protectedModel: ProtectedModel & { readonly name: string; readonly version: string };
  readonly models: RegionModels;
  readonly source: RegionSource;
  /** Questions that nobody was ever asked; candidates are among them or made from them. */
  readonly pool: readonly Input[];
  /** The owner's ordinary questions, which traps have to look like. */
  readonly traffic: readonly Input[];
  /** Decides whether a question must not become a trap, by the hexadecimal digest of its canonical form. */
  readonly exclude?: (digest: string) => boolean;
  /** Traps wanted; rounded up to whole lots. */
  readonly count: number;
  readonly lotSize: number;
  readonly seed?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Returns sixteen fresh random bytes in hexadecimal. */
  readonly salt: () => string;
}

/** A set that is not sealed yet, and all that was measured on the way. */
export interface RegionBuild {
  /** Absent when too few candidates were good for a lot. */
  readonly set?: RegionTrapSet;
  /** Why there are fewer traps than wanted, as sentences; absent when there are enough. */
  readonly why?: string;
  readonly report?: RegionReport;
}

export interface RegionReport extends RegionMeasurement {
  /** Candidates that the protected model was asked about, and those that told anything. */
  readonly candidates: number;
  readonly rated: number;
  /** Mean agreement of selecting surrogates and references over the traps. */
  readonly surrogateRate: number;
  readonly referenceRate: number;
  /** The area under the curve of the best candidates, had looks not mattered. */
  readonly areaOfBest: number | null;
}

/** Candidates that tell less than an odds ratio of 1.6 are no traps. */
const leastWeight = 0.47;

const finders: Readonly<Record<RegionSource, (options: FindOptions) => Promise<RatedQuestion[]>>> =
  {
    pool: async (options) => rateQuestions(options.models, await candidatesOfPool(options)),
    bisection: async (options) =>
      rateQuestions(options.models, await candidatesByBisection(options)),
    gradient: async (options) => {
      const { candidates, surrogates } = await candidatesByGradient(options);
      return rateQuestions(options.models, candidates, surrogates);
    },
  };

/**
 * Builds a set of region traps: finds candidates, rates them by surrogates and references that select,
 * chooses those that look like traffic, deals them into lots at random, calibrates every lot on
 * references of the second part and measures it on those of the third and on held-out surrogates.
 *
 * @throws TouchmarkError INTERRUPTED, UPSTREAM_FAILED, UPSTREAM_ANSWER_INVALID
 */
export async function buildRegionTraps(options: RegionBuildOptions): Promise<RegionBuild> {
  const { signal } = options.protectedModel;
  try {
    return await build(options);
  } catch (cause) {
    throw signal.aborted ? interrupted() : cause;
  }
}

async function build(options: RegionBuildOptions): Promise<RegionBuild> {
  const { protectedModel, models, source, lotSize, traffic, seed = 'region' } = options;
  const { exclude = () => false } = options;
  const count = Math.ceil(options.count / lotSize) * lotSize;
  const pool = distinct(options.pool, exclude);
  const rated = (
    await finders[source]({ protectedModel, models, pool, exclude, count, seed })
  ).filter(({ rating }) => rating.weight >= leastWeight);
  const choose = (wanted: number) =>
    chooseStealthy(rated, {
      ...{ count: wanted, least: lotSize, traffic, seed },
      features: models.features,
      progress: () => protectedModel.signal.throwIfAborted(),
    });
  const first = choose(count);
  const whole = Math.floor(first.chosen.length / lotSize) * lotSize;
  const choice = whole === 0 || whole === count ? first : choose(whole);
  const lots = deal(choice.chosen, lotSize, seed);
  if (lots.length === 0) {
    const found = `Only ${choice.chosen.length} of ${pool.length} questions tell surrogates from independent models; a lot takes ${lotSize}.`;
    return { why: `${found} Put more questions into inputs.traps.` };
  }
  const measured = measureRegion(models, lots);
  const chosen = lots.flat();
  const set = describeSet(options, { lots, measured, stealth: choice.stealth });
  const why = [
    ...(chosen.length < options.count
      ? [`The pool gives ${chosen.length} traps. Put more questions into inputs.traps.`]
      : []),
    ...(looksLikeTraffic(choice.stealth)
      ? []
      : [
          `A classifier tells these traps from ordinary questions with an area under the curve of ${choice.stealth.areaUnderCurve?.toFixed(2)}.`,
        ]),
  ].join(' ');
  return {
    set,
    ...(why === '' ? {} : { why }),
    report: {
      ...measured,
      candidates: pool.length,
      rated: rated.length,
      surrogateRate: mean(chosen.map(({ rating }) => rating.surrogateRate)),
      referenceRate: mean(chosen.map(({ rating }) => rating.referenceRate)),
      areaOfBest: choice.areaOfBest,
    },
  };
}

/** Deals at random into lots of equal size, so that they are alike in strength. */
function deal(chosen: readonly RatedQuestion[], size: number, seed: string): RatedQuestion[][] {
  const lots = Math.floor(chosen.length / size);
  const shuffled = seededRandom(`${seed}/lots`).shuffle(chosen.slice(0, lots * size));
  return Array.from({ length: lots }, (_, lot) => shuffled.slice(lot * size, (lot + 1) * size));
}

function describeSet(
  { protectedModel: { name, version }, models, source, createdAt, salt }: RegionBuildOptions,
  {
    lots,
    measured,
    stealth,
  }: {
    readonly lots: readonly (readonly RatedQuestion[])[];
    readonly measured: RegionMeasurement;
    readonly stealth: RegionTrapSet['stealth'];
  },
): RegionTrapSet {
  const part = (wanted: 'select' | 'calibrate' | 'test') =>
    models.references
      .filter((each) => each.part === wanted)
      .map((each) => ({ name: each.name, data: each.kind }));
  const outcomes = Object.entries(measured.surrogates);
  const surrogates = outcomes.reduce((sum, [, each]) => sum + each.models, 0);
  const bans = outcomes.reduce((sum, [, each]) => sum + each.bans * each.models, 0);
  return {
    kind: 'region',
    protectedModel: { name, version },
    labels: [...models.labels],
    references: { select: part('select'), calibrate: part('calibrate'), test: part('test') },
    createdAt,
    source,
    expected: {
      bansPerLot: surrogates === 0 ? 0 : bans / surrogates,
      surrogates,
      measuredOn: `held-out networks that learnt from answers to the owner's questions: ${outcomes.map(([recipe]) => recipe).join(', ')}`,
    },
    stealth,
    lots: lots.map((lot, number) => ({
      traps: lot.map(({ input, label, rating }) => ({
        input: encodeInput(input),
        label,
        weight: rating.weight,
        salt: salt(),
      })),
      calibration: measured.calibration[number]!,
    })),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
