import { seededRandom } from '../../stats/sampling.ts';
import type { SparseVector } from '../../watermark/probability/features.ts';

export interface PerceptronOptions {
  readonly dimensions: number;
  readonly classes: number;
  readonly epochs: number;
  readonly seed: string;
}

/**
 * Trains a multiclass averaged perceptron on hard labels (Freund and Schapire 1999; Collins 2002):
 * the weights are the mean over all steps. Returns scores [classes] for a feature vector.
 */
export function trainAveragedPerceptron(
  rows: readonly SparseVector[],
  labels: readonly number[],
  options: PerceptronOptions,
): (features: SparseVector) => Float64Array {
  const { dimensions, classes } = options;
  const random = seededRandom(`${options.seed}/perceptron`);
  const weights = new Float64Array(dimensions * classes);
  const weighted = new Float64Array(dimensions * classes);
  const order = rows.map((_, index) => index);
  let step = 1;
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    for (const index of random.shuffle(order)) {
      const row = rows[index]!;
      const wanted = labels[index]!;
      const guess = argMax(scores(row, weights, classes));
      if (guess !== wanted) {
        row.indices.forEach((feature, entry) => {
          const value = row.values[entry]!;
          for (const [label, direction] of [
            [wanted, value],
            [guess, -value],
          ] as const) {
            weights[feature * classes + label]! += direction;
            weighted[feature * classes + label]! += step * direction;
          }
        });
      }
      step += 1;
    }
  }
  const averaged = weights.map((weight, index) => weight - weighted[index]! / step);
  return (features) => scores(features, averaged, classes);
}

function scores(row: SparseVector, weights: Float64Array, classes: number): Float64Array {
  const sums = new Float64Array(classes);
  row.indices.forEach((feature, entry) => {
    const value = row.values[entry]!;
    for (let k = 0; k < classes; k += 1) sums[k]! += value * weights[feature * classes + k]!;
  });
  return sums;
}

function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if (values[index]! > values[best]!) best = index;
  }
  return best;
}
