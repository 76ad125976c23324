/** What reference models, and models that answer at random, are like in one quirk. */
export interface ReferenceStandard {
  readonly mean: Float64Array;
  /** Standard deviations. */
  readonly spread: Float64Array;
  /** The mean of models that answer at random. */
  readonly chance: Float64Array;
}

/** Kept of the mean variance beside each number's own, so that none on which all agree weighs all. */
const ridge = 0.1;
/** Kept where all references agree in everything. */
const smallestVariance = 1e-6;

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
 * Measures how far suspects share a protected model's deviation from reference models, by the matched
 * filter sum of (s - m)(p - m - r (n - m)) / (v + c): s, p, m and n are the numbers of suspect, protected
 * model, mean reference and mean random answers, v the references' variance and c a tenth of the mean of
 * all v. r makes the filter blind to n - m, so that a model which errs more often than references do,
 * at random, gains nothing by erring where the protected model does.
 *
 * Up to constants it is the log-likelihood ratio of "the references, moved towards the protected model
 * and towards chance" against "towards chance" alone, if deviations were independent and normal (North
 * 1963); null distributions are not taken from that, but from references that had no part in the
 * standard. A suspect that is as far from references as chance is, in the same metric, is none that
 * references stand for: it gets less than anybody.
 */
export class DeviationFilter {
  readonly #mean: Float64Array;
  readonly #weights: Float64Array;
  /** What a number counts that was not answered: one spread the other way. */
  readonly #silence: Float64Array;
  readonly #precision: Float64Array;
  /** The square of the distance between references and chance. */
  readonly #farthest: number;
  readonly #least: number;

  constructor(protectedModel: Float64Array, { mean, spread, chance }: ReferenceStandard) {
    const floor = ridge * meanOf(spread.map((each) => each * each)) + smallestVariance;
    const precision = spread.map((each) => 1 / (each * each + floor));
    const own = protectedModel.map((value, place) => value - mean[place]!);
    const towardsChance = chance.map((value, place) => value - mean[place]!);
    const share = ratio(own, towardsChance, precision);
    this.#mean = mean;
    this.#weights = own.map((value, place) => {
      const weight = precision[place]! * (value - share * towardsChance[place]!);
      return Number.isNaN(weight) ? 0 : weight;
    });
    this.#silence = this.#weights.map((weight, place) =>
      weight === 0 ? 0 : -Math.abs(weight) * spread[place]!,
    );
    this.#precision = precision;
    this.#farthest = squaredLength(towardsChance, precision);
    this.#least = -own.reduce((sum, value, place) => {
      const weight = this.#weights[place]!;
      return weight === 0 ? sum : sum + Math.abs(weight * value);
    }, 0);
  }

  /** @param suspect the quirk's numbers, NaN where a question was not answered */
  sharedBy(suspect: Float64Array): number {
    const deviations = suspect.map((value, place) => value - this.#mean[place]!);
    const isFar =
      this.#farthest > 0 && squaredLength(deviations, this.#precision) >= this.#farthest;
    if (isFar) return this.#least;
    let sum = 0;
    for (let place = 0; place < this.#weights.length; place += 1) {
      const weight = this.#weights[place]!;
      if (weight === 0) continue;
      const deviation = deviations[place]!;
      sum += Number.isNaN(deviation) ? this.#silence[place]! : weight * deviation;
    }
    return sum;
  }
}

/** The square of a deviation's length, what is not known left out. */
function squaredLength(deviation: Float64Array, precision: Float64Array): number {
  return deviation.reduce((sum, value, place) => {
    const square = precision[place]! * value * value;
    return Number.isNaN(square) ? sum : sum + square;
  }, 0);
}

/** The regression of one deviation on another, weighted; 0 where the other is none. */
function ratio(one: Float64Array, other: Float64Array, precision: Float64Array): number {
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
