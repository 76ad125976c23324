import * as tf from '@tensorflow/tfjs';
import type { SparseVector } from '../../watermark/probability/features.ts';

/** A batch of sparse rows in compressed form: row r has the entries from offsets[r] to offsets[r + 1]. */
export interface SparseRows {
  readonly offsets: Uint32Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** Packs sparse vectors into one batch. */
export function packRows(rows: readonly SparseVector[]): SparseRows {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, index) => {
    offsets[index + 1] = offsets[index]! + row.indices.length;
  });
  const indices = new Uint32Array(offsets[rows.length]!);
  const values = new Float32Array(indices.length);
  rows.forEach((row, index) => {
    indices.set(row.indices, offsets[index]!);
    values.set(row.values, offsets[index]!);
  });
  return { offsets, indices, values };
}

/**
 * The product of a batch of sparse rows [batch, dimensions] with dense weights [dimensions, units],
 * differentiable in the weights.
 *
 * tfjs has no sparse kernel with a gradient on WebAssembly, and a dense product over thousands of
 * hashed n-grams is four times slower than touching the non-zero entries alone.
 */
export function sparseProduct(rows: SparseRows, weights: tf.Tensor2D): tf.Tensor2D {
  const [dimensions, units] = weights.shape;
  const batch = rows.offsets.length - 1;
  const product = tf.customGrad((...inputs) => {
    const table = (inputs[0] as tf.Tensor2D).dataSync() as Float32Array;
    const sums = new Float32Array(batch * units);
    gatherSums(rows.offsets, rows.indices, rows.values, table, units, sums);
    const gradFunc = (upstream: tf.Tensor) => {
      const slopes = new Float32Array(dimensions * units);
      const from = upstream.dataSync() as Float32Array;
      scatterSums(rows.offsets, rows.indices, rows.values, from, units, slopes);
      return tf.tensor2d(slopes, [dimensions, units]);
    };
    return { value: tf.tensor2d(sums, [batch, units]), gradFunc };
  });
  return product(weights) as tf.Tensor2D;
}

function gatherSums(
  offsets: Uint32Array,
  indices: Uint32Array,
  values: Float32Array,
  table: Float32Array,
  units: number,
  sums: Float32Array,
): void {
  for (let row = 0; row < offsets.length - 1; row += 1) {
    const to = row * units;
    const end = offsets[row + 1]!;
    for (let entry = offsets[row]!; entry < end; entry += 1) {
      addScaled(sums, to, table, indices[entry]! * units, values[entry]!, units);
    }
  }
}

function scatterSums(
  offsets: Uint32Array,
  indices: Uint32Array,
  values: Float32Array,
  upstream: Float32Array,
  units: number,
  slopes: Float32Array,
): void {
  for (let row = 0; row < offsets.length - 1; row += 1) {
    const from = row * units;
    const end = offsets[row + 1]!;
    for (let entry = offsets[row]!; entry < end; entry += 1) {
      addScaled(slopes, indices[entry]! * units, upstream, from, values[entry]!, units);
    }
  }
}

function addScaled(
  target: Float32Array,
  to: number,
  source: Float32Array,
  from: number,
  factor: number,
  length: number,
): void {
  for (let index = 0; index < length; index += 1) {
    target[to + index]! += factor * source[from + index]!;
  }
}
