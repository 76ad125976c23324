import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { trainNeuralLanguageModel } from '../../../src/models/training/neural-language-model.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

const vocabularySize = 40;

/** Each token follows the one two before it by three, save one in five. */
function lesson(seed: string, length: number): Int32Array {
  const random = seededRandom(seed);
  const tokens = Int32Array.from({ length }, () => random.integer(12));
  for (let at = 2; at < length; at++) {
    if (random.uniform() < 0.8) tokens[at] = (tokens[at - 2]! + 3) % 12;
  }
  return tokens;
}

const texts = ['a', 'b'].map((seed) => lesson(seed, 700));
const options = { vocabularySize, seed: 'network', epochs: 30 };

describe('trainNeuralLanguageModel', () => {
  it('learns what depends on the token before the last, on text it has not seen', async () => {
    const model = await trainNeuralLanguageModel(texts, options);
    const unseen = lesson('unseen', 300);
    let surprise = 0;
    for (let at = 3; at < unseen.length; at++) {
      const { tokens, probabilities } = model.next(unseen.subarray(0, at));
      surprise -= Math.log(probabilities[tokens.indexOf(unseen[at]!)]!) / (unseen.length - 3);
    }
    const guessing = Math.log(12);
    const knowing = -(
      (0.8 + 0.2 / 12) * Math.log(0.8 + 0.2 / 12) +
      11 * (0.2 / 12) * Math.log(0.2 / 12)
    );
    expect(surprise).toBeLessThan((guessing + knowing) / 2);
    expect(surprise).toBeGreaterThan(0.8 * knowing);
  });

  it('gives every token id a probability, and all of them together one', async () => {
    const wide = Int32Array.from({ length: 3000 }, (_, at) => (at * at) % 2999);
    const model = await trainNeuralLanguageModel([wide], {
      vocabularySize: 4000,
      seed: 'wide',
      epochs: 1,
    });
    for (const context of [[], [3999], [1, 4, 9, 16], [-1, 1e6]]) {
      const distribution = model.nextDistribution(Int32Array.from(context));
      expect(distribution.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 4);
      expect(Math.min(...distribution)).toBeGreaterThan(0);
    }
  });

  it('gives the same model for the same seed and another for another', async () => {
    const short = { ...options, epochs: 2 };
    const [first, second, other] = [
      await trainNeuralLanguageModel(texts, short),
      await trainNeuralLanguageModel(texts, short),
      await trainNeuralLanguageModel(texts, { ...short, seed: 'other' }),
    ];
    const context = Int32Array.of(1, 2, 3);
    expect(second.next(context)).toEqual(first.next(context));
    expect(other.next(context)).not.toEqual(first.next(context));
  });

  it('reports every epoch and leaves no tensor behind', async () => {
    await trainNeuralLanguageModel([], options);
    const before = tf.memory().numTensors;
    const seen: number[] = [];
    await trainNeuralLanguageModel(texts, {
      ...options,
      epochs: 3,
      progress: (_, done, total) => seen.push(done / total),
    });
    expect(seen).toEqual([1 / 3, 2 / 3, 1]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is uniform without any text', async () => {
    const model = await trainNeuralLanguageModel([new Int32Array(0)], options);
    for (const probability of model.nextDistribution(Int32Array.of(3))) {
      expect(probability).toBeCloseTo(1 / vocabularySize, 6);
    }
  });

  it('refuses token ids outside the vocabulary', async () => {
    const invalid = expect.objectContaining({ code: 'INPUT_INVALID' });
    await expect(trainNeuralLanguageModel([Int32Array.of(40)], options)).rejects.toThrow(invalid);
    await expect(trainNeuralLanguageModel([Int32Array.of(-1)], options)).rejects.toThrow(invalid);
    await expect(trainNeuralLanguageModel([], { ...options, vocabularySize: 0 })).rejects.toThrow(
      invalid,
    );
  });
});
