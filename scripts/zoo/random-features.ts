import { fitLayers } from '../../src/models/training/fit-layers.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import type { SparseRows } from '../../src/models/training/sparse-product.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { activityOf } from './forward.ts';

const units = 400;

/**
 * Trains a linear model on 400 random rectified features of the rows (Rahimi and Recht 2008): its
 * first layer is drawn and stays as it was.
 *
 * @param targets row-major [rows, classes]
 */
export async function fitRandomFeatures(
  rows: SparseRows,
  targets: Float32Array,
  options: {
    readonly dimensions: number;
    readonly classes: number;
    readonly sample: Uint32Array;
    readonly seed: string;
    readonly signal: AbortSignal;
  },
): Promise<Layers> {
  const { dimensions, classes, sample, seed } = options;
  const random = seededRandom(`${seed}/features`);
  const weights = Float32Array.from({ length: (dimensions + 1) * units }, () => random.normal());
  weights.subarray(dimensions * units).forEach((_, unit, bias) => {
    bias[unit] = random.normal() * 0.3;
  });
  const drawn = { inputs: dimensions, units, weights };
  const none = { inputs: units, units: 4, weights: new Float32Array((units + 1) * 4) };
  const draft: Layers = { classes: 1, layers: [drawn, none] };
  const count = sample.length;
  const hidden = new Float32Array(count * units);
  const wanted = new Float32Array(count * classes);
  sample.forEach((row, place) => {
    const { inner } = activityOf(draft, rows, row);
    hidden.set(
      inner.map((value) => value / Math.sqrt(units)),
      place * units,
    );
    wanted.set(targets.subarray(row * classes, (row + 1) * classes), place * classes);
  });
  const readOut = await fitLayers(
    {
      offsets: Uint32Array.from({ length: count + 1 }, (_, row) => row * units),
      indices: Uint32Array.from(hidden, (_, at) => at % units),
      values: hidden,
    },
    wanted,
    {
      ...options,
      sample: Uint32Array.from({ length: count }, (_, row) => row),
      dimensions: units,
      hidden: 0,
      epochs: 20,
      batchSize: 128,
      learningRate: 0.1,
    },
  );
  const last = readOut.layers[0]!;
  const scaled = last.weights.map((weight, at) =>
    at < units * last.units ? weight / Math.sqrt(units) : weight,
  );
  return { classes, layers: [drawn, { ...last, weights: scaled }] };
}
