import { describe, expect, it } from 'vitest';
import { type FitOptions, fitLayers } from '../../../src/models/training/fit-layers.ts';
import { type Layers, labelsOf, probabilitiesOf } from '../../../src/models/training/layers.ts';
import { fitLinear } from '../../../src/models/training/linear-scores.ts';
import { decodeModel, encodeModel } from '../../../src/models/training/model-cache.ts';
import { oneHot } from '../../../src/models/training/model-families.ts';
import { trainNetwork } from '../../../src/models/training/network.ts';
import { packRows } from '../../../src/models/training/sparse-product.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { softmax } from '../../../src/watermark/probability/distribution.ts';

const random = seededRandom('layers');
/** Which of three sectors a product of signs falls into: no linear model can tell. */
const points = Array.from({ length: 600 }, () => [random.normal(), random.normal()] as const);
const classes = 3;
const labels = points.map(([x, y]) => (x * y > 0 ? (x > 0 ? 0 : 1) : 2));
const rows = packRows(
  points.map(([x, y]) => ({ indices: Uint32Array.of(1, 4), values: Float32Array.of(x, y) })),
);
const { signal } = new AbortController();
const options: FitOptions = {
  ...{ dimensions: 5, classes, hidden: 24, epochs: 40, batchSize: 32, learningRate: 0.03 },
  seed: 'a',
  signal,
};

const shareRight = (model: Layers) =>
  labelsOf([model], rows)[0]!.filter((label, row) => label === labels[row]).length / points.length;

/** The logits of one point, by plain arithmetic. */
function logits({ layers }: Layers, point: readonly [number, number]): number[] {
  let values = [0, point[0], 0, 0, point[1]];
  layers.forEach(({ inputs, units, weights }, depth) => {
    values = Array.from({ length: units }, (_, unit) => {
      let sum = weights[inputs * units + unit]!;
      values.forEach((value, input) => {
        sum += value * weights[input * units + unit]!;
      });
      return depth < layers.length - 1 ? Math.max(0, sum) : sum;
    });
  });
  return values.slice(0, classes);
}

describe('fitLayers', () => {
  it('learns what TensorFlow.js learns from the same data', async () => {
    const blobs = points.map(
      ([x, y], row) => [x + 2 * (row % classes), y - (row % classes)] as const,
    );
    const sparse = blobs.map(([x, y]) => ({
      indices: Uint32Array.of(1, 4),
      values: Float32Array.of(x, y),
    }));
    const wanted = oneHot(
      blobs.map((_, row) => row % classes),
      classes,
    );
    const linear = { ...options, hidden: 0, epochs: 60 };
    const ours = await fitLayers(packRows(sparse), wanted, linear);
    const rowsOf = blobs.map((_, row) => wanted.subarray(row * classes, (row + 1) * classes));
    const theirs = await trainNetwork(sparse, rowsOf, linear);
    sparse.slice(0, 100).forEach((row, index) => {
      const probabilities = softmax(Float64Array.from(logits(ours, blobs[index]!)));
      theirs(row).forEach((probability, label) => {
        expect(probabilities[label]).toBeCloseTo(probability, 1.5);
      });
    });
  });

  it('learns what needs a hidden layer, and cannot without one', async () => {
    expect(shareRight(await fitLayers(rows, oneHot(labels, classes), options))).toBeGreaterThan(
      0.95,
    );
    const linear = { ...options, hidden: 0 };
    expect(shareRight(await fitLayers(rows, oneHot(labels, classes), linear))).toBeLessThan(0.85);
  });

  it('gives the same weights for the same seed, others for another, and labels by plain arithmetic', async () => {
    const targets = oneHot(labels, classes);
    const [first, again, other] = [
      await fitLayers(rows, targets, { ...options, epochs: 2 }),
      await fitLayers(rows, targets, { ...options, epochs: 2 }),
      await fitLayers(rows, targets, { ...options, epochs: 2, seed: 'b' }),
    ];
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
    const own = labelsOf([other!, first!], rows)[1]!;
    points.forEach((point, row) => {
      const values = logits(first!, point);
      expect(values[own[row]!]).toBeCloseTo(Math.max(...values), 4);
    });
  });

  it('gives probabilities by plain arithmetic, of linear models and networks, for more rows than one batch', async () => {
    const targets = oneHot(labels, classes);
    const fitted = [24, 0, 8].map((hidden) =>
      fitLayers(rows, targets, { ...options, hidden, epochs: 3 }),
    );
    const models = await Promise.all(fitted);
    const all = probabilitiesOf(models, rows);
    expect(all.map(({ length }) => length)).toEqual(models.map(() => points.length * classes));
    models.forEach((model, place) => {
      points.forEach((point, row) => {
        softmax(Float64Array.from(logits(model, point))).forEach((probability, label) => {
          expect(all[place]![row * classes + label]).toBeCloseTo(probability, 5);
        });
      });
    });
    expect(probabilitiesOf([], rows)).toEqual([]);
    expect(probabilitiesOf(models, packRows([]))).toEqual(models.map(() => new Float32Array(0)));
  });

  it('learns soft targets as probabilities, from the rows of the sample alone', async () => {
    const one = packRows(
      [0, 1].map(() => ({ indices: Uint32Array.of(0), values: Float32Array.of(1) })),
    );
    const targets = Float32Array.of(0.7, 0.2, 0.1, 0, 0, 1);
    const model = await fitLayers(one, targets, {
      ...options,
      hidden: 0,
      epochs: 400,
      sample: Uint32Array.of(0, 0),
    });
    const [a, b, c] = [0, 1, 2].map((label) => {
      const { weights, inputs, units } = model.layers[0]!;
      return Math.exp(weights[label]! + weights[inputs * units + label]!);
    });
    expect(a! / (a! + b! + c!)).toBeCloseTo(0.7, 1);
    expect(b! / (a! + b! + c!)).toBeCloseTo(0.2, 1);
  });

  it('stops when told to', async () => {
    const stopped = AbortSignal.abort(new Error('enough'));
    const training = fitLayers(rows, oneHot(labels, classes), { ...options, signal: stopped });
    await expect(training).rejects.toThrow('enough');
  });
});

describe('fitLinear', () => {
  it('finds clusters by either learner', () => {
    const centres = [
      [2, 0],
      [-2, 1],
      [0, -2],
    ] as const;
    const near = points.map(([x, y], index) => {
      const [a, b] = centres[index % 3]!;
      return { indices: Uint32Array.of(0, 1), values: Float32Array.of(a + 0.3 * x, b + 0.3 * y) };
    });
    const packed = packRows(near);
    const wanted = Uint16Array.from(near, (_, index) => index % 3);
    const sample = Uint32Array.from(near.keys());
    for (const learner of ['naive-bayes', 'perceptron'] as const) {
      const fit = { dimensions: 2, classes, learner, signed: true, seed: 'a', sample };
      expect(labelsOf([fitLinear(packed, wanted, fit)], packed)[0]).toEqual(wanted);
    }
  });
});

describe('encodeModel', () => {
  it('is undone by decodeModel, which takes nothing else', async () => {
    const model = await fitLayers(rows, oneHot(labels, classes), { ...options, epochs: 1 });
    const text = encodeModel(model);
    expect(decodeModel(text)).toEqual(model);
    expect(decodeModel(text.replace('"inputs":5', '"inputs":6'))).toBeUndefined();
    expect(decodeModel(text.slice(0, -9))).toBeUndefined();
    expect(decodeModel(undefined)).toBeUndefined();
  });
});
