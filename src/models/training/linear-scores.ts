import { seededRandom } from '../../stats/sampling.ts';
import type { SparseVector } from '../../watermark/probability/features.ts';
import { trainAveragedPerceptron } from './averaged-perceptron.ts';
import { type Layers, paddedUnits } from './layers.ts';
import { fitNaiveBayes } from './naive-bayes.ts';
import type { SparseRows } from './sparse-product.ts';

/** Learners other than networks; all of them score classes by a linear function. */
export type LinearLearner = 'naive-bayes' | 'perceptron';

export interface LinearFitOptions {
  readonly dimensions: number;
  readonly classes: number;
  readonly learner: LinearLearner;
  /** Whether features may be negative; naive Bayes then takes them for normal variables. */
  readonly signed: boolean;
  readonly seed: string;
  /** The rows to learn from, as often as they are named. */
  readonly sample: Uint32Array;
}

/**
 * Trains an averaged perceptron, or naive Bayes: multinomial for counts, and for signed features with
 * normal ones of one common variance each (McCallum and Nigam 1998; Hand and Yu 2001).
 *
 * @param labels one class per row
 */
export function fitLinear(
  rows: SparseRows,
  labels: Uint16Array,
  { dimensions, classes, learner, signed, seed, sample }: LinearFitOptions,
): Layers {
  const vectors = [...sample].map((row) => rowOf(rows, row));
  const wanted = [...sample].map((row) => labels[row]!);
  const random = seededRandom(`${seed}/linear`);
  if (learner === 'perceptron') {
    const epochs = 4 + random.integer(5);
    const options = { dimensions, classes, epochs, seed };
    return tabulate(trainAveragedPerceptron(vectors, wanted, options), dimensions, classes);
  }
  if (signed) return fitNormalBayes(vectors, wanted, dimensions, classes);
  const smoothing = 10 ** (-2 + 2 * random.uniform());
  const options = { dimensions, classes, smoothing };
  return tabulate(fitNaiveBayes(vectors, wanted, options), dimensions, classes);
}

/** Reads the weights of a linear score off its values at the unit vectors. */
function tabulate(
  score: (features: SparseVector) => Float64Array,
  inputs: number,
  classes: number,
): Layers {
  const units = paddedUnits(classes);
  const weights = new Float32Array((inputs + 1) * units);
  const bias = score({ indices: new Uint32Array(0), values: new Float32Array(0) });
  weights.set(bias, inputs * units);
  for (let input = 0; input < inputs; input += 1) {
    const values = score({ indices: Uint32Array.of(input), values: Float32Array.of(1) });
    weights.set(
      values.map((value, label) => value - bias[label]!),
      input * units,
    );
  }
  return { classes, layers: [{ inputs, units, weights }] };
}

function fitNormalBayes(
  rows: readonly SparseVector[],
  labels: readonly number[],
  inputs: number,
  classes: number,
): Layers {
  const units = paddedUnits(classes);
  const means = new Float64Array(inputs * classes);
  const counts = new Float64Array(classes).fill(1);
  rows.forEach(({ indices, values }, row) => {
    const label = labels[row]!;
    counts[label]! += 1;
    indices.forEach((input, entry) => {
      means[input * classes + label]! += values[entry]!;
    });
  });
  means.forEach((sum, at) => {
    means[at] = sum / counts[at % classes]!;
  });
  const variances = new Float64Array(inputs).fill(1e-6);
  rows.forEach(({ indices, values }, row) => {
    indices.forEach((input, entry) => {
      const off = values[entry]! - means[input * classes + labels[row]!]!;
      variances[input]! += (off * off) / rows.length;
    });
  });
  const weights = new Float32Array((inputs + 1) * units);
  for (let label = 0; label < classes; label += 1) {
    let bias = Math.log(counts[label]! / (rows.length + classes));
    for (let input = 0; input < inputs; input += 1) {
      const mean = means[input * classes + label]!;
      weights[input * units + label] = mean / variances[input]!;
      bias -= (mean * mean) / (2 * variances[input]!);
    }
    weights[inputs * units + label] = bias;
  }
  return { classes, layers: [{ inputs, units, weights }] };
}

function rowOf({ offsets, indices, values }: SparseRows, row: number): SparseVector {
  const [start, end] = [offsets[row]!, offsets[row + 1]!];
  return { indices: indices.subarray(start, end), values: values.subarray(start, end) };
}
