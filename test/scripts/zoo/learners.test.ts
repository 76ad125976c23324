import { describe, expect, it } from 'vitest';
import { fineTune } from '../../../scripts/zoo/fine-tune.ts';
import { probabilitiesOf } from '../../../scripts/zoo/forward.ts';
import { nearestClasses, sharesOf, votesOf } from '../../../scripts/zoo/neighbours.ts';
import { fitRandomFeatures } from '../../../scripts/zoo/random-features.ts';
import { fitLayers } from '../../../src/models/training/fit-layers.ts';
import { labelsOf } from '../../../src/models/training/layers.ts';
import { oneHot } from '../../../src/models/training/model-families.ts';
import { packRows } from '../../../src/models/training/sparse-product.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

const { signal } = new AbortController();
const dimensions = 6;
/** Points whose class is the sign of the product of two of their values: no linear model tells. */
const labelAt = (x: number, y: number) => Number(x * y > 0);
const random = seededRandom('learners');
const points = Array.from({ length: 600 }, () =>
  Array.from({ length: dimensions }, () => random.normal() / Math.sqrt(dimensions)),
);
const labels = points.map(([x, y]) => labelAt(x!, y!));
const rows = packRows(
  points.map((point) => ({
    indices: Uint32Array.from(point.keys()),
    values: Float32Array.from(point),
  })),
);
const everything = Uint32Array.from(points.keys());
const learning = everything.slice(0, 400);
const accuracy = (answers: ArrayLike<number>) =>
  labels.filter((label, row) => row >= 400 && answers[row] === label).length / 200;

describe('the learners of thieves and independents', () => {
  it('random features learn what is not linear', async () => {
    const targets = oneHot(labels, 2);
    const options = { dimensions, classes: 2, sample: learning, seed: 'features', signal };
    const model = await fitRandomFeatures(rows, targets, options);
    expect(accuracy(labelsOf([model], rows)[0]!)).toBeGreaterThan(0.8);
  });

  it('probabilities agree with labels, and tuning on the truth mends what was learnt from noise', async () => {
    const noisy = labels.map((label) => (random.uniform() < 0.35 ? 1 - label : label));
    const targets = oneHot(noisy, 2);
    const model = await fitLayers(rows, targets, {
      ...{ dimensions, classes: 2, hidden: 16, epochs: 30, batchSize: 32, learningRate: 0.02 },
      ...{ seed: 'noise', sample: learning, signal },
    });
    const own = labelsOf([model], rows)[0]!;
    const probabilities = probabilitiesOf(model, rows);
    expect(Uint16Array.from(own, (_, row) => Number(probabilities[2 * row + 1]! > 0.5))).toEqual(
      own,
    );
    const tuned = fineTune(model, rows, labels, {
      ...{ sample: learning, epochs: 20, learningRate: 0.05, seed: 'tune' },
    });
    expect(accuracy(labelsOf([tuned], rows)[0]!)).toBeGreaterThan(accuracy(own));
    expect(labelsOf([model], rows)[0]).toEqual(own);
  });

  it('nearest neighbours vote, each point for itself first', () => {
    const vote = (neighbours: number) =>
      votesOf(nearestClasses(rows, labels, learning, { rows, neighbours, dimensions }));
    expect([...vote(1).slice(0, 400)]).toEqual(labels.slice(0, 400));
    expect(accuracy(vote(5))).toBeGreaterThan(0.7);

    const nearest = nearestClasses(rows, labels, learning, { rows, neighbours: 5, dimensions });
    const shares = sharesOf(nearest, 2);
    nearest.forEach((classes, row) => {
      const ones = classes.filter((label) => label === 1).length;
      expect(shares[2 * row + 1]).toBeCloseTo(ones / 5, 6);
    });
  });

  it('nearest neighbours are those that a search of all distances finds', () => {
    const distance = (one: number[], two: number[]) =>
      one.reduce((sum, value, at) => sum + (value - two[at]!) ** 2, 0);
    const places = points.map((_, place) => place);
    const found = nearestClasses(rows, places, learning, { rows, neighbours: 3, dimensions });
    for (const row of [0, 399, 400, 599]) {
      const sorted = [...learning].sort(
        (one, two) => distance(points[row]!, points[one]!) - distance(points[row]!, points[two]!),
      );
      expect(found[row]).toEqual(sorted.slice(0, 3));
    }
  });
});
