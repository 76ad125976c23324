import type { Layer, Layers } from '../../src/models/training/layers.ts';
import type { SparseRows } from '../../src/models/training/sparse-product.ts';

/** What a network of one hidden layer, or a linear model, computes of one row. */
export interface Activity {
  /** Rectified units of the hidden layer; empty for a linear model. */
  readonly inner: Float64Array;
  /** One per class, summing to 1. */
  readonly probabilities: Float64Array;
}

/** Returns a model's probabilities for every row, row-major [rows, classes]. */
export function probabilitiesOf(model: Layers, rows: SparseRows): Float32Array {
  const count = rows.offsets.length - 1;
  const probabilities = new Float32Array(count * model.classes);
  for (let row = 0; row < count; row += 1)
    probabilities.set(activityOf(model, rows, row).probabilities, row * model.classes);
  return probabilities;
}

/** Returns what a model computes of one row. */
export function activityOf({ classes, layers }: Layers, rows: SparseRows, row: number): Activity {
  const [first, second] = layers as readonly [Layer, Layer?];
  const sums = affine(first, rows, row);
  if (second === undefined)
    return { inner: new Float64Array(0), probabilities: soft(sums, classes) };
  const inner = sums.map((sum) => Math.max(0, sum));
  const logits = Float64Array.from(
    second.weights.subarray(second.inputs * second.units, (second.inputs + 1) * second.units),
  );
  for (let unit = 0; unit < second.inputs; unit += 1) {
    if (inner[unit] === 0) continue;
    addScaled(logits, inner[unit]!, second.weights, unit * second.units);
  }
  return { inner, probabilities: soft(logits, classes) };
}

function affine({ inputs, units, weights }: Layer, rows: SparseRows, row: number): Float64Array {
  const sums = Float64Array.from(weights.subarray(inputs * units, (inputs + 1) * units));
  for (let entry = rows.offsets[row]!; entry < rows.offsets[row + 1]!; entry += 1)
    addScaled(sums, rows.values[entry]!, weights, rows.indices[entry]! * units);
  return sums;
}

function addScaled(sums: Float64Array, factor: number, weights: Float32Array, from: number): void {
  for (let unit = 0; unit < sums.length; unit += 1) sums[unit]! += factor * weights[from + unit]!;
}

function soft(logits: Float64Array, classes: number): Float64Array {
  const kept = logits.subarray(0, classes);
  const largest = kept.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const powers = Float64Array.from(kept, (logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
