import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { type NetworkOptions, trainNetwork } from '../../../src/models/training/network.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { topTwo } from '../../../src/watermark/probability/distribution.ts';

const random = seededRandom('network');
/** Whether two numbers have one sign: no linear model can tell. */
const points = Array.from({ length: 200 }, () => [random.normal(), random.normal()] as const);
const rows = points.map(([x, y]) => ({
  indices: Uint32Array.of(0, 1),
  values: Float32Array.of(x, y),
}));
const labels = points.map(([x, y]) => Number(x * y > 0));
const targets = labels.map((label) => [1 - label, label]);

const options: NetworkOptions = {
  dimensions: 2,
  hidden: 16,
  epochs: 40,
  batchSize: 32,
  learningRate: 0.05,
  seed: 'a',
};

async function accuracy(changed: Partial<NetworkOptions>): Promise<number> {
  const network = await trainNetwork(rows, targets, { ...options, ...changed });
  const hits = rows.filter((row, index) => topTwo(network(row))[0] === labels[index]);
  return hits.length / rows.length;
}

describe('trainNetwork', () => {
  it('learns what needs a hidden layer, and cannot without one', async () => {
    expect(await accuracy({})).toBeGreaterThan(0.95);
    expect(await accuracy({ hidden: 0 })).toBeLessThan(0.75);
  });

  it('learns soft targets as probabilities', async () => {
    const one = { indices: Uint32Array.of(0), values: Float32Array.of(1) };
    const network = await trainNetwork(
      new Array(32).fill(one),
      new Array(32).fill([0.2, 0.5, 0.3]),
      { ...options, hidden: 0, epochs: 200 },
    );
    [0.2, 0.5, 0.3].forEach((p, k) => {
      expect(network(one)[k]).toBeCloseTo(p, 3);
    });
  });

  it('gives the same network for the same seed and another for another', async () => {
    const short = { ...options, epochs: 3 };
    const first = await trainNetwork(rows, targets, short);
    const second = await trainNetwork(rows, targets, short);
    const other = await trainNetwork(rows, targets, { ...short, seed: 'b' });
    expect(second(rows[0]!)).toEqual(first(rows[0]!));
    expect(other(rows[0]!)).not.toEqual(first(rows[0]!));
  });

  it('reports every epoch and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const seen: number[] = [];
    await trainNetwork(rows, targets, { ...options, epochs: 3 }, (_, done, total) => {
      seen.push(done / total);
    });
    expect(seen).toEqual([1 / 3, 2 / 3, 1]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
