import { describe, expect, it } from 'vitest';
import { logitSlope, trainLogistic } from '../../../src/models/training/logistic.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

const vector = (...values: readonly number[]) => ({
  indices: Uint32Array.from(values.keys()),
  values: Float32Array.from(values),
});
const logistic = (value: number) => 1 / (1 + Math.exp(-value));

describe('trainLogistic', () => {
  it('reaches the minimum: the gradient of the penalised loss vanishes there', () => {
    const random = seededRandom('logistic');
    const examples = Array.from({ length: 200 }, (_, index) => ({
      row: vector(random.normal() + Number(index < 40), random.normal()),
      positive: index < 40,
      weight: 0.5 + random.uniform(),
    }));
    const penalty = 0.01;
    const logit = trainLogistic(examples, { dimensions: 2, penalty, iterations: 2000 });
    const bias = logit(vector(0, 0));
    const weights = [logit(vector(1, 0)) - bias, logit(vector(0, 1)) - bias];
    const total = (side: boolean) =>
      examples.reduce((sum, { positive, weight }) => (positive === side ? sum + weight : sum), 0);
    const gradient = [0, 1].map((column) =>
      examples.reduce(
        (sum, { row, positive, weight }) =>
          sum +
          (weight / 2 / total(positive)) *
            (logistic(logit(row)) - Number(positive)) *
            row.values[column]!,
        penalty * weights[column]!,
      ),
    );
    for (const each of gradient) expect(each).toBeCloseTo(0, 6);
    expect(weights[0]).toBeGreaterThan(0.5);
  });

  it('weighs both sides equally: rows that are alike have the logit 0', () => {
    const examples = Array.from({ length: 50 }, (_, index) => ({
      row: vector(1),
      positive: index === 0,
    }));
    expect(trainLogistic(examples, { dimensions: 1 })(vector(1))).toBeCloseTo(0, 6);
  });
});

describe('logitSlope', () => {
  const random = seededRandom('slope');
  const logits = Array.from({ length: 4000 }, () => random.normal());

  it('finds by how much logits are shrunken', () => {
    const positive = logits.map((logit) => random.uniform() < logistic(2 * logit));
    expect(logitSlope(logits, positive)).toBeGreaterThan(1.75);
    expect(logitSlope(logits, positive)).toBeLessThan(2.25);
  });

  it('is 0 for logits that point the wrong way, and finite for those that separate', () => {
    expect(
      logitSlope(
        logits,
        logits.map((logit) => random.uniform() < logistic(-logit)),
      ),
    ).toBe(0);
    const slope = logitSlope(
      logits,
      logits.map((logit) => logit > 0),
    );
    expect(slope).toBeGreaterThan(3);
    expect(slope).toBeLessThan(100);
  });
});
