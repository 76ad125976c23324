import { describe, expect, it } from 'vitest';
import type { TensorInput } from '../../../src/contracts.ts';
import { searchByGradient } from '../../../src/models/search/gradient-search.ts';
import { smoothFields } from '../../../src/models/search/smooth-fields.ts';
import { fitLayers } from '../../../src/models/training/fit-layers.ts';
import { type Layers, labelsOf } from '../../../src/models/training/layers.ts';
import { oneHot } from '../../../src/models/training/model-families.ts';
import { readRows, searchFeatures } from '../../../src/models/training/search-features.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

const shape = [6, 6];
const { signal } = new AbortController();

function images(count: number, seed: string): TensorInput[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => ({
    shape,
    data: Float32Array.from({ length: 36 }, () => Math.max(0, random.normal())),
  }));
}

const sum = (data: Float32Array, from: number, to: number) =>
  data.slice(from, to).reduce((total, value) => total + value, 0);

const training = images(500, 'training');
const features = searchFeatures(training);
if (features.kind !== 'tensor') throw new TypeError('tensors have tensor features');

/** Networks that tell which half of an image is brighter, with a threshold of their own. */
function networks(threshold: number, seeds: readonly string[]): Promise<Layers[]> {
  const labels = training.map(({ data }) =>
    Number(sum(data, 0, 18) - sum(data, 18, 36) > threshold),
  );
  return Promise.all(
    seeds.map((seed) =>
      fitLayers(readRows(features, training), oneHot(labels, 2), {
        ...{ dimensions: 36, classes: 2, hidden: 16, epochs: 20, batchSize: 64 },
        ...{ learningRate: 0.02, seed, signal },
      }),
    ),
  );
}

describe('searchByGradient', () => {
  it('makes tensors that divide surrogates and references it did not see, more than their starts', async () => {
    const surrogates = await networks(0.7, ['a', 'b', 'c', 'd']);
    const references = await networks(-0.7, ['e', 'f', 'g', 'h', 'i', 'j']);
    const starts = images(60, 'starts');
    const found = await searchByGradient(starts, {
      ...{ features, signal },
      surrogates: surrogates.slice(0, 2),
      references: [references.slice(0, 2), references.slice(2, 4)],
    });
    const divided = (inputs: readonly TensorInput[]) => {
      const rows = readRows(features, inputs);
      const [surrogate] = labelsOf(surrogates.slice(3), rows);
      const [reference] = labelsOf(references.slice(5), rows);
      return inputs.filter((_, index) => surrogate![index] !== reference![index]).length;
    };
    expect(divided(found)).toBeGreaterThan(divided(starts) + 10);
    found.forEach(({ data }, index) => {
      data.forEach((value, at) => {
        const start = starts[index]!.data[at]!;
        expect(Math.abs(value - start)).toBeLessThanOrEqual(0.5 * start + 1e-5);
      });
    });
  });

  it('stops when told to', async () => {
    const models = await networks(0, ['a']);
    const stopped = { features, surrogates: models, references: [models, models] as const };
    const search = searchByGradient(images(2, 'starts'), {
      ...stopped,
      signal: AbortSignal.abort(new Error('enough')),
    });
    await expect(search).rejects.toThrow('enough');
  });
});

describe('smoothFields', () => {
  it('sum to 1 at every value, the same on every plane', () => {
    for (const layout of [
      [5, 7],
      [5, 7, 3],
      [3, 5, 7],
    ]) {
      const size = layout.reduce((product, length) => product * length, 1);
      const { count, values } = smoothFields(layout, 3);
      expect(count).toBe(9);
      for (let at = 0; at < size; at += 1) {
        let total = 0;
        for (let knot = 0; knot < count; knot += 1) total += values[knot * size + at]!;
        expect(total).toBeCloseTo(1, 6);
      }
    }
    const { values } = smoothFields([5, 7, 3], 3);
    expect(values[3 * 8]).toBe(values[3 * 8 + 2]);
  });

  it('are one for each value of a tensor that is no image', () => {
    expect(smoothFields([3], 4)).toEqual({
      count: 3,
      values: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    });
  });
});
