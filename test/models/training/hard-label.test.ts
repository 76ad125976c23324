import { describe, expect, it } from 'vitest';
import { trainAveragedPerceptron } from '../../../src/models/training/averaged-perceptron.ts';
import { fitNaiveBayes } from '../../../src/models/training/naive-bayes.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { topTwo } from '../../../src/watermark/probability/distribution.ts';

const vector = (...entries: readonly (readonly [index: number, value: number])[]) => ({
  indices: Uint32Array.from(entries, ([index]) => index),
  values: Float32Array.from(entries, ([, value]) => value),
});

describe('fitNaiveBayes', () => {
  const rows = [vector([0, 2], [1, 1]), vector([0, 1]), vector([2, 3])];
  const score = fitNaiveBayes(rows, [0, 0, 1], { dimensions: 3, classes: 2, smoothing: 1 });

  it('equals what is computed by hand', () => {
    // class 0: counts 3+1, 1+1, 0+1 of 4+3; prior (2+1)/(3+2). class 1: 1, 1, 4 of 6; prior 2/5.
    const [first, second] = score(vector([0, 1], [2, 0.5]));
    expect(first).toBeCloseTo(Math.log(3 / 5) + Math.log(4 / 7) + 0.5 * Math.log(1 / 7), 12);
    expect(second).toBeCloseTo(Math.log(2 / 5) + Math.log(1 / 6) + 0.5 * Math.log(4 / 6), 12);
  });

  it('falls back on the class shares for an empty vector', () => {
    expect([...score(vector())].map(Math.exp)).toEqual([
      expect.closeTo(0.6, 12),
      expect.closeTo(0.4, 12),
    ]);
  });
});

describe('trainAveragedPerceptron', () => {
  it('averages the weights over the steps, as computed by hand', () => {
    // One row of class 1: the first guess is 0, so w = [-1, 1] from step 1 of 2 on; then no mistake.
    const train = (epochs: number) =>
      trainAveragedPerceptron([vector([0, 1])], [1], {
        dimensions: 1,
        classes: 2,
        epochs,
        seed: 'a',
      });
    expect([...train(1)(vector([0, 1]))]).toEqual([-0.5, 0.5]);
    expect([...train(3)(vector([0, 1]))]).toEqual([-0.75, 0.75]);
  });

  it('separates three classes that can be separated', () => {
    const random = seededRandom('perceptron');
    const labels = Array.from({ length: 300 }, () => random.integer(3));
    const rows = labels.map((label) =>
      vector(...[0, 1, 2].map((k) => [k, random.normal() / 4 + Number(k === label) * 2] as const)),
    );
    const score = trainAveragedPerceptron(rows, labels, {
      dimensions: 3,
      classes: 3,
      epochs: 5,
      seed: 'a',
    });
    const hits = rows.filter((row, index) => topTwo(score(row))[0] === labels[index]).length;
    expect(hits / rows.length).toBeGreaterThan(0.98);
  });
});
