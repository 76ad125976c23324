/** What reference models, and models that answer at random, are like in one quirk. */
export interface ReferenceStandard {
  readonly mean: Float64Array;
  /** Standard deviations. */
  readonly spread: Float64Array;
  /** The mean of models that answer at random. */
  readonly chance: Float64Array;
  /** How far from `mean` 95% of references are that it was not taken from. */
  readonly reach: number;
}

/** Kept of the mean variance beside each number's own, so that none on which all agree weighs all. */
const ridge = 0.1;
/** The share of references within reach. */
const usualShare = 0.95;
/** Kept where all references agree in everything. */
const smallestVariance = 1e-6;

/** A quirk of several models, as often as it is asked for. */
export type Numbers = () => Iterable<Float64Array>;

/**
 * Returns what references are like: the mean is that of models trained on the same data, the variance
 * the mean of both kinds' own. NaN is passed over; a number that no reference has is NaN.
 *
 * @param same a quirk of each model trained on the protected model's data, at least one
 * @param other the same of models trained on other data
 * @param chance the same of models that answer at random
 */
export function referenceStandard(
  same: Numbers,
  other: Numbers,
  chance: Numbers,
): ReferenceStandard {
  const ofSame = momentsOf(same());
  const ofOther = momentsOf(other());
  const spread = ofSame.variance.map((variance, place) =>
    Math.sqrt((variance + (ofOther.variance[place] ?? variance)) / 2),
  );
  const floor = floorOf(spread);
  const distances = [
    ...Array.from(same(), (model) => distanceWithout(model, ofSame, ofOther, ofSame, floor)),
    ...Array.from(other(), (model) => distanceWithout(model, ofOther, ofSame, ofSame, floor)),
  ].sort((one, two) => one - two);
  return {
    ...{ mean: ofSame.mean, spread, chance: momentsOf(chance()).mean },
    reach: distances[Math.ceil(usualShare * distances.length) - 1] ?? 0,
  };
}

/**
 * Returns how far a model is from the mean of the others, in their spreads: `own` are the moments of
 * its kind, out of which it is taken, `other` those of the other kind.
 */
function distanceWithout(
  model: Float64Array,
  own: Moments,
  other: Moments,
  central: Moments,
  floor: number,
): number {
  let sum = 0;
  model.forEach((value, place) => {
    const count = own.counts[place]! - 1;
    const shift = value - own.mean[place]!;
    // Welford's step backwards.
    const mean = count > 0 ? own.mean[place]! - shift / count : own.mean[place]!;
    const rest = own.variance[place]! * (count + 1) - shift * (value - mean);
    const variance = count > 0 ? Math.max(0, rest / count) : 0;
    const centre = own === central ? mean : central.mean[place]!;
    const both = (variance + (other.variance[place] ?? variance)) / 2;
    const square = (value - centre) ** 2 / (both + floor);
    if (!Number.isNaN(square)) sum += square;
  });
  return Math.sqrt(sum);
}

function floorOf(spread: Float64Array): number {
  return ridge * meanOf(spread.map((each) => each * each)) + smallestVariance;
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
 * standard. What a suspect shares is divided by its own distance from the mean reference, in the reach
 * of references, where it is farther than those: the more somebody errs, the more is shared by chance.
 * A suspect that is as far away as chance is none that references stand for: it gets less than anybody.
 */
export class DeviationFilter {
  readonly #mean: Float64Array;
  readonly #weights: Float64Array;
  /** What a number counts that was not answered: one spread the other way. */
  readonly #silence: Float64Array;
  readonly #precision: Float64Array;
  /** The distance between references and chance. */
  readonly #farthest: number;
  readonly #reach: number;
  readonly #least: number;

  constructor(protectedModel: Float64Array, standard: ReferenceStandard) {
    const { mean, spread, chance, reach } = standard;
    const floor = floorOf(spread);
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
    this.#reach = reach;
    this.#farthest = lengthOf(towardsChance, precision);
    this.#least = -own.reduce((sum, value, place) => {
      const weight = this.#weights[place]!;
      return weight === 0 ? sum : sum + Math.abs(weight * value);
    }, 0);
  }

  /** Says whether a model is as far from references as chance, so that they do not stand for it. */
  isFar(model: Float64Array): boolean {
    return this.#isBeyond(lengthOf(this.#deviationsOf(model), this.#precision));
  }

  /** @param suspect the quirk's numbers, NaN where a question was not answered */
  sharedBy(suspect: Float64Array): number {
    const deviations = this.#deviationsOf(suspect);
    const distance = lengthOf(deviations, this.#precision);
    if (this.#isBeyond(distance)) return this.#least;
    let sum = 0;
    for (let place = 0; place < this.#weights.length; place += 1) {
      const weight = this.#weights[place]!;
      if (weight === 0) continue;
      const deviation = deviations[place]!;
      sum += Number.isNaN(deviation) ? this.#silence[place]! : weight * deviation;
    }
    return this.#reach > 0 ? sum / Math.max(1, distance / this.#reach) : sum;
  }

  #deviationsOf(model: Float64Array): Float64Array {
    return model.map((value, place) => value - this.#mean[place]!);
  }

  #isBeyond(distance: number): boolean {
    return this.#farthest > 0 && distance >= this.#farthest;
  }
}

/** The length of a deviation in spreads, what is not known left out. */
function lengthOf(deviation: Float64Array, precision: Float64Array): number {
  const squares = deviation.reduce((sum, value, place) => {
    const square = precision[place]! * value * value;
    return Number.isNaN(square) ? sum : sum + square;
  }, 0);
  return Math.sqrt(squares);
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

interface Moments {
  readonly counts: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Welford's moments (1962) of each place. */
function momentsOf(models: Iterable<Float64Array>): Moments {
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
    counts,
    mean: mean.map((value, place) => (counts[place]! > 0 ? value : Number.NaN)),
    variance: squares.map((sum, place) => (counts[place]! > 0 ? sum / counts[place]! : Number.NaN)),
  };
}

function meanOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : 0;
}
