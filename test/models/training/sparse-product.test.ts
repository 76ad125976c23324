import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../../src/models/training/backend.ts';
import { packRows, sparseProduct } from '../../../src/models/training/sparse-product.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

const dimensions = 7;
const units = 3;
const rows = [
  { indices: Uint32Array.of(0, 3, 6), values: Float32Array.of(0.5, -1, 2) },
  { indices: Uint32Array.of(), values: Float32Array.of() },
  { indices: Uint32Array.of(6, 1), values: Float32Array.of(0.25, 1.5) },
];
const dense = rows.map(({ indices, values }) => {
  const row = new Array<number>(dimensions).fill(0);
  indices.forEach((index, entry) => {
    row[index] = values[entry]!;
  });
  return row;
});
const random = seededRandom('sparse product');
const table = Array.from({ length: dimensions }, () =>
  Array.from({ length: units }, () => random.normal()),
);

/** A loss whose gradient differs from entry to entry. */
const loss = (product: tf.Tensor2D) => tf.sum(tf.square(tf.sin(product))) as tf.Scalar;
const sparseLoss = (weights: tf.Tensor) =>
  loss(sparseProduct(packRows(rows), weights as tf.Tensor2D));

beforeAll(async () => {
  await startBackend();
});

describe('sparseProduct', () => {
  it('equals the dense product', () => {
    const product = sparseProduct(packRows(rows), tf.tensor2d(table));
    const expected = tf.matMul(tf.tensor2d(dense), tf.tensor2d(table)).arraySync();
    (product.arraySync() as number[][]).forEach((row, index) => {
      row.forEach((value, unit) => {
        expect(value).toBeCloseTo((expected as number[][])[index]![unit]!, 5);
      });
    });
  });

  it('has the gradient of the dense product', () => {
    const denseLoss = (weights: tf.Tensor) =>
      loss(tf.matMul(tf.tensor2d(dense), weights as tf.Tensor2D));
    const gradient = tf.grad(sparseLoss)(tf.tensor2d(table)).dataSync();
    const expected = tf.grad(denseLoss)(tf.tensor2d(table)).dataSync();
    expect(gradient.length).toBe(dimensions * units);
    gradient.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 5);
    });
  });

  it('has the gradient that finite differences give', () => {
    const gradient = tf.grad(sparseLoss)(tf.tensor2d(table)).arraySync() as number[][];
    const step = 1e-2;
    for (const [row, unit] of [
      [0, 0],
      [3, 2],
      [6, 1],
      [2, 0],
    ] as const) {
      const at = (delta: number) => {
        const moved = table.map((values) => [...values]);
        moved[row]![unit]! += delta;
        return sparseLoss(tf.tensor2d(moved)).dataSync()[0]!;
      };
      expect(gradient[row]![unit]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 2);
    }
  });
});
