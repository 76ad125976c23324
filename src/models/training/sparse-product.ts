import * as tf from '@tensorflow/tfjs';
import type { SparseVector } from '../../watermark/probability/features.ts';

/**
 * The product of a batch of sparse rows [batch, dimensions] with dense weights [dimensions, units],
 * differentiable in the weights.
 *
 * tfjs has no sparse kernel with a gradient on WebAssembly, and a dense product over thousands of
 * hashed n-grams is four times slower than touching the non-zero entries alone.
 */
export function sparseProduct(rows: readonly SparseVector[], weights: tf.Tensor2D): tf.Tensor2D {
  const units = weights.shape[1];
  const product = tf.customGrad((...inputs) => {
    const table = inputs[0] as tf.Tensor2D;
    const value = tf.tensor2d(gatherSums(rows, table.dataSync() as Float32Array, units), [
      rows.length,
      units,
    ]);
    const gradFunc = (upstream: tf.Tensor) =>
      tf.tensor2d(
        scatterSums(rows, upstream.dataSync() as Float32Array, table.shape[0], units),
        table.shape,
      );
    return { value, gradFunc };
  });
  return product(weights) as tf.Tensor2D;
}

function gatherSums(
  rows: readonly SparseVector[],
  table: Float32Array,
  units: number,
): Float32Array {
  const sums = new Float32Array(rows.length * units);
  for (let row = 0; row < rows.length; row += 1) {
    const { indices, values } = rows[row]!;
    const base = row * units;
    for (let entry = 0; entry < indices.length; entry += 1) {
      const value = values[entry]!;
      const from = indices[entry]! * units;
      for (let unit = 0; unit < units; unit += 1) sums[base + unit]! += value * table[from + unit]!;
    }
  }
  return sums;
}

function scatterSums(
  rows: readonly SparseVector[],
  upstream: Float32Array,
  dimensions: number,
  units: number,
): Float32Array {
  const sums = new Float32Array(dimensions * units);
  for (let row = 0; row < rows.length; row += 1) {
    const { indices, values } = rows[row]!;
    const base = row * units;
    for (let entry = 0; entry < indices.length; entry += 1) {
      const value = values[entry]!;
      const to = indices[entry]! * units;
      for (let unit = 0; unit < units; unit += 1)
        sums[to + unit]! += value * upstream[base + unit]!;
    }
  }
  return sums;
}
