/** What reference models are like in one quirk: a mean and a spread for each of its numbers. */
export interface ReferenceStandard {
  readonly mean: Float64Array;
  /** Standard deviations. */
  readonly spread: Float64Array;
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
 */
export function referenceStandard(
  same: Iterable<Float64Array>,
  other: Iterable<Float64Array>,
): ReferenceStandard {
  const ofSame = momentsOf(same);
  const ofOther = momentsOf(other);
  return {
    mean: ofSame.mean,
    spread: ofSame.variance.map((variance, place) =>
      Math.sqrt((variance + (ofOther.variance[place] ?? variance)) / 2),
    ),
  };
}

/**
 * Returns how far a suspect shares the protected model's deviation from reference models: the matched
 * filter sum of (s - m)(p - m) / (v + c), where s, p and m are the numbers of suspect, protected model
 * and mean reference, v the references' variance and c a tenth of the mean of all v. It is the
 * log-likelihood ratio, up to constants, of "the references, moved towards the protected model" against
 * "the references", if their deviations were independent and normal (North 1963); its null distribution
 * is not taken from that, but from references that had no part in `standard`.
 *
 * Where a question was not answered the suspect is held to deviate by one spread the other way.
 */
export function sharedDeviation(
  suspect: Float64Array,
  protectedModel: Float64Array,
  { mean, spread }: ReferenceStandard,
): number {
  const floor = ridge * meanOf(spread.map((each) => each * each)) + smallestVariance;
  let sum = 0;
  for (let place = 0; place < mean.length; place += 1) {
    const own = protectedModel[place]! - mean[place]!;
    if (Number.isNaN(own) || own === 0) continue;
    const deviation = spread[place]!;
    const weight = own / (deviation * deviation + floor);
    const shared = suspect[place]! - mean[place]!;
    sum += Number.isNaN(shared) ? -Math.abs(weight) * deviation : weight * shared;
  }
  return sum;
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
