import type { Layer, Layers } from '../../src/models/training/layers.ts';
import type { SparseRows } from '../../src/models/training/sparse-product.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { activityOf } from './forward.ts';

export interface TuningOptions {
  /** The rows to learn from. */
  readonly sample: Uint32Array;
  readonly epochs: number;
  readonly learningRate: number;
  readonly seed: string;
}

/**
 * Returns a network after some more epochs of plain stochastic gradient descent on the cross-entropy
 * of true labels, one row at a time: what a thief does who wants to be better than what it stole.
 */
export function fineTune(
  model: Layers,
  rows: SparseRows,
  labels: readonly number[],
  { sample, epochs, learningRate, seed }: TuningOptions,
): Layers {
  const layers = model.layers.map((layer) => ({ ...layer, weights: layer.weights.slice() }));
  const tuned: Layers = { classes: model.classes, layers };
  const [first, second] = layers as [Layer, Layer];
  const random = seededRandom(`${seed}/tuning`);
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for (const row of random.shuffle([...sample])) {
      const { inner, probabilities } = activityOf(tuned, rows, row);
      const slopes = probabilities.map(
        (value, label) => learningRate * (value - (labels[row] === label ? 1 : 0)),
      );
      const back = innerSlopes(second, inner, slopes);
      inner.forEach((value, unit) => {
        if (value > 0) descend(second, unit, value, slopes);
      });
      descend(second, second.inputs, 1, slopes);
      for (let entry = rows.offsets[row]!; entry < rows.offsets[row + 1]!; entry += 1)
        descend(first, rows.indices[entry]!, rows.values[entry]!, back);
      descend(first, first.inputs, 1, back);
    }
  }
  return tuned;
}

function innerSlopes(
  { units, weights }: Layer,
  inner: Float64Array,
  slopes: Float64Array,
): Float64Array {
  return inner.map((value, unit) => {
    if (value === 0) return 0;
    return slopes.reduce((sum, slope, label) => sum + slope * weights[unit * units + label]!, 0);
  });
}

function descend(layer: Layer, input: number, value: number, slopes: Float64Array): void {
  const from = input * layer.units;
  for (let unit = 0; unit < slopes.length; unit += 1)
    layer.weights[from + unit]! -= value * slopes[unit]!;
}
