import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { areaUnderCurve } from '../../src/stats/mann-whitney.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

describe('areaUnderCurve', () => {
  it('counts pairs, ties as half', () => {
    expect(areaUnderCurve([3, 1], [2, 0])).toBe(0.75);
    expect(areaUnderCurve([1, 1], [1, 1, 1])).toBe(0.5);
    expect(areaUnderCurve([2, 5], [1])).toBe(1);
    expect(areaUnderCurve([1], [2, 5])).toBe(0);
  });

  it('equals the count over all pairs, weighted too', () => {
    const random = seededRandom('pairs');
    const draw = (count: number) => Array.from({ length: count }, () => random.integer(12));
    const [positives, negatives] = [draw(40), draw(70)];
    const weights = positives.map(() => random.integer(4));
    const pairs = (weightOf: (index: number) => number) =>
      positives.reduce(
        (sum, positive, index) =>
          sum +
          weightOf(index) *
            negatives.reduce(
              (own, each) => own + Number(positive > each) + Number(positive === each) / 2,
              0,
            ),
        0,
      ) /
      (negatives.length * positives.reduce((sum, _, index) => sum + weightOf(index), 0));
    expect(areaUnderCurve(positives, negatives)).toBeCloseTo(
      pairs(() => 1),
      12,
    );
    expect(areaUnderCurve(positives, negatives, weights)).toBeCloseTo(
      pairs((index) => weights[index]!),
      12,
    );
  });

  it('refuses an empty side, no weight and what is no number', () => {
    for (const [positives, negatives, weights] of [
      [[], [1]],
      [[1], []],
      [[Number.NaN], [1]],
      [[1], [1], [0]],
    ]) {
      expect(() => areaUnderCurve(positives!, negatives!, weights)).toThrow(TouchmarkError);
    }
  });
});
