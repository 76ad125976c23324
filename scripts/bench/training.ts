import { fitLayers } from '../../src/models/training/fit-layers.ts';
import { trainNetwork } from '../../src/models/training/network.ts';
import { packRows } from '../../src/models/training/sparse-product.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { type BenchRow, median } from './measure.ts';

const examples = 4000;
const dimensions = 196;
const classes = 10;
const options = {
  ...{ dimensions, hidden: 64, epochs: 2, batchSize: 128, learningRate: 0.01, seed: 'bench' },
};

/** What an epoch of training costs in our kernel, against the same network in TensorFlow.js. */
export async function benchTraining(): Promise<readonly BenchRow[]> {
  const random = seededRandom('training bench');
  const rows = Array.from({ length: examples }, () => ({
    indices: Uint32Array.from({ length: dimensions }, (_, index) => index),
    values: Float32Array.from({ length: dimensions }, () => random.normal()),
  }));
  const labels = rows.map(() => random.integer(classes));
  const targets = labels.map((label) =>
    Float32Array.from({ length: classes }, (_, index) => Number(index === label)),
  );
  const packed = packRows(rows);
  const flat = Float32Array.from(targets.flatMap((row) => [...row]));
  const signal = new AbortController().signal;
  const times = { kernel: [] as number[], library: [] as number[] };
  for (let round = 0; round < 5; round += 1) {
    times.library.push(await millisecondsPerEpoch(() => trainNetwork(rows, targets, options)));
    times.kernel.push(
      await millisecondsPerEpoch(() => fitLayers(packed, flat, { ...options, classes, signal })),
    );
  }
  const [kernel, library] = [median(times.kernel), median(times.library)];
  return [
    {
      name: `training/epoch-${examples}x${dimensions}x64`,
      value: kernel,
      unit: 'milliseconds an epoch',
      ratio: kernel / library,
      against: `TensorFlow.js (WASM): ${library.toFixed(0)} milliseconds`,
    },
  ];
}

async function millisecondsPerEpoch(train: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await train();
  return (performance.now() - begun) / options.epochs;
}
