/** What reference models, and models that answer at random, are like in one quirk. */
export interface ReferenceStandard {
  readonly mean: Float64Array;
  /** Standard deviations. */
  readonly spread: Float64Array;
  /** The mean of models that answer at random. */
  readonly chance: Float64Array;
}

/** How far models are from the mean reference, in the metric of the spreads, and what that is worth. */
export interface Distances {
  /** The farthest of some references that the standard does not know. */
  readonly reach: number;
  /** The mean of models that answer at random. */
  readonly chance: number;
  /** The variance of what those share by chance, over the variance of what references share. */
  readonly noise: number;
}

/** Kept of the mean variance beside each number's own, so that none on which all agree weighs all. */
const ridge = 0.1;
/** Kept where all references agree in everything. */
const smallestVariance = 1e-6;
/** The share of the way to random answers from which on references stand for nobody. */
const farAway = 0.9;

/**
 * Returns what references are like: the mean is that of models trained on the same data, the variance
 * the mean of both kinds' own. NaN is passed over; a number that no reference has is NaN.
 *
 * @param same a quirk of each model trained on the protected model's data, at least one
 * @param other the same of models trained on other data
 * @param chance the same of models that answer at random
 */
export function referenceStandard(
  same: Iterable<Float64Array>,
  other: Iterable<Float64Array>,
  chance: Iterable<Float64Array>,
): ReferenceStandard {
  const ofSame = momentsOf(same);
  const ofOther = momentsOf(other);
  return {
    mean: ofSame.mean,
    spread: ofSame.variance.map((variance, place) =>
      Math.sqrt((variance + (ofOther.variance[place] ?? variance)) / 2),
    ),
    chance: momentsOf(chance).mean,
  };
}

/**
 * Measures how far models share a protected model's deviation from reference models, by the matched
 * filter sum of (s - m)(p - m - r (n - m)) / (v + c): s, p, m and n are the numbers of model, protected
 * model, mean reference and mean random answers, v the references' variance and c a tenth of the mean of
 * all v. r makes the filter blind to n - m, so that a model which errs more often than references do,
 * uniformly at random, gains nothing on average by erring where the protected model does. It is not
 * blind to ability: models that are better than all references, or worse in the way of all weak ones,
 * share that. `docs/decisions/0018-shared-deviations.md` says what is done about it.
 *
 * Up to constants it is the log-likelihood ratio of "the references, moved towards the protected model
 * and towards chance" against "towards chance" alone, if deviations were independent and normal (North
 * 1963); null distributions are not taken from that, but from references that had no part in the
 * standard.
 */
export class DeviationFilter {
  readonly #mean: Float64Array;
  readonly #weights: Float64Array;
  readonly #precision: Float64Array;
  /** What a number counts that was not answered: one spread the other way. */
  readonly #silence: Float64Array;

  constructor(protectedModel: Float64Array, { mean, spread, chance }: ReferenceStandard) {
    const floor = ridge * meanOf(spread.map((each) => each * each)) + smallestVariance;
    const precision = spread.map((each) => 1 / (each * each + floor));
    const own = protectedModel.map((value, place) => value - mean[place]!);
    const towardsChance = chance.map((value, place) => value - mean[place]!);
    const share = regression(own, towardsChance, precision);
    this.#mean = mean;
    this.#precision = precision;
    this.#weights = own.map((value, place) => {
      const weight = precision[place]! * (value - share * towardsChance[place]!);
      return Number.isNaN(weight) ? 0 : weight;
    });
    this.#silence = this.#weights.map((weight, place) =>
      weight === 0 ? 0 : -Math.abs(weight) * spread[place]!,
    );
  }

  /** @param model a quirk's numbers, NaN where a question was not answered */
  sharedBy(model: Float64Array): number {
    let sum = 0;
    for (let place = 0; place < this.#weights.length; place += 1) {
      const weight = this.#weights[place]!;
      if (weight === 0) continue;
      const deviation = model[place]! - this.#mean[place]!;
      sum += Number.isNaN(deviation) ? this.#silence[place]! : weight * deviation;
    }
    return sum;
  }

  /** Returns how far a model is from the mean reference; what was not answered is left out. */
  distanceOf(model: Float64Array): number {
    let sum = 0;
    for (let place = 0; place < this.#precision.length; place += 1) {
      const deviation = model[place]! - this.#mean[place]!;
      const square = this.#precision[place]! * deviation * deviation;
      if (!Number.isNaN(square)) sum += square;
    }
    return Math.sqrt(sum);
  }
}

/**
 * Returns how far references and random answers are from the mean reference, as a filter sees it.
 *
 * @param references of each kind, not in the filter's standard
 * @param chance models that answer at random
 */
export function distancesOf(
  filter: DeviationFilter,
  references: readonly (readonly Float64Array[])[],
  chance: readonly Float64Array[],
): Distances {
  const away = (models: readonly Float64Array[]) => models.map((each) => filter.distanceOf(each));
  const shared = (models: readonly Float64Array[]) => models.map((each) => filter.sharedBy(each));
  const kinds = references.filter(({ length }) => length > 0);
  const usual = kinds.reduce((sum, kind) => sum + varianceOf(shared(kind)) / kinds.length, 0);
  return {
    reach: Math.max(0, ...away(references.flat())),
    chance: away(chance).reduce((sum, each) => sum + each / chance.length, 0),
    noise: usual > 0 ? varianceOf(shared(chance)) / usual : 0,
  };
}

/**
 * Says whether a model is so far from references that they do not stand for it: nine tenths of the way
 * to random answers.
 */
export function isFar(
  filter: DeviationFilter,
  model: Float64Array,
  { chance }: Distances,
): boolean {
  return chance > 0 && filter.distanceOf(model) >= farAway * chance;
}

/**
 * Returns the statistic by which a model is ranked: what it shares, over the spread that it would share
 * by chance. A model beyond the reach of references is taken for one that answers a part of the
 * questions at random, the part that its distance shows; one that is far has less than anybody, `-least`.
 *
 * @param least what the protected model shares with itself
 */
export function rankedShare(
  filter: DeviationFilter,
  model: Float64Array,
  distances: Distances,
  least: number,
): number {
  if (isFar(filter, model, distances)) return -Math.abs(least);
  const { reach, chance, noise } = distances;
  const beyond = filter.distanceOf(model) ** 2 - reach ** 2;
  const part = chance > reach ? Math.min(1, Math.max(0, beyond / (chance ** 2 - reach ** 2))) : 0;
  return filter.sharedBy(model) / Math.sqrt(1 + part * noise);
}

/** The regression of one deviation on another, weighted; 0 where the other is none. */
function regression(one: Float64Array, other: Float64Array, precision: Float64Array): number {
  let [product, square] = [0, 0];
  for (let place = 0; place < one.length; place += 1) {
    const weighted = precision[place]! * other[place]!;
    if (Number.isNaN(weighted * one[place]!)) continue;
    product += weighted * one[place]!;
    square += weighted * other[place]!;
  }
  return square > 0 ? product / square : 0;
}

/** Welford's moments (1962) of each place. */
function momentsOf(models: Iterable<Float64Array>): {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
} {
  let counts = new Float64Array(0);
  let mean = new Float64Array(0);
  let squares = new Float64Array(0);
  for (const model of models) {
    if (mean.length === 0)
      [counts, mean, squares] = [model.map(() => 0), model.map(() => 0), model.map(() => 0)];
    model.forEach((value, place) => {
      if (Number.isNaN(value)) return;
      counts[place]! += 1;
      const step = value - mean[place]!;
      mean[place]! += step / counts[place]!;
      squares[place]! += step * (value - mean[place]!);
    });
  }
  return {
    mean: mean.map((value, place) => (counts[place]! > 0 ? value : Number.NaN)),
    variance: squares.map((sum, place) => (counts[place]! > 0 ? sum / counts[place]! : Number.NaN)),
  };
}

function meanOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : 0;
}

function varianceOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}
