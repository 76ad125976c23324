import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { adjustedLowerBound, clopperPearson, kolmogorovSmirnov } from '../../src/stats/bounds.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

// Bisection on binomial sums with 40 digits (mpmath).
const intervals = [
  [5, 100, 0.95, 0.0164318791821, 0.112834911105, 0.0079084279064],
  [0, 20, 0.95, 0, 0.168433470983, 0],
  [20, 20, 0.95, 0.831566529017, 1, 0.71588868901],
  [110, 2000, 0.999, 0.0396668791042, 0.073755289024, 0.0365882336413],
  [1, 2000, 0.95, 1.26588238686e-5, 0.00278263983466, 6.25390755269e-7],
  [29, 10_000, 0.99999, 0.00110481075242, 0.00605022479372, 0.000945822879392],
] as const;

describe('Clopper-Pearson bounds', () => {
  it.each(intervals)('%i of %i at %f', (successes, trials, confidence, lower, upper, adjusted) => {
    const interval = clopperPearson(successes, trials, confidence);
    expect(Math.abs(interval.lower - lower)).toBeLessThanOrEqual(1e-7 * lower);
    expect(Math.abs(interval.upper - upper)).toBeLessThanOrEqual(1e-7 * upper);
    const bound = adjustedLowerBound(successes, trials, confidence, 40);
    expect(Math.abs(bound - adjusted)).toBeLessThanOrEqual(1e-7 * adjusted);
  });

  it('refuse what is no proportion', () => {
    for (const [successes, trials, confidence] of [
      [3, 2, 0.95],
      [-1, 2, 0.95],
      [0, 0, 0.95],
      [0.5, 2, 0.95],
      [1, 2, 1],
      [1, 2, Number.NaN],
    ] as const) {
      expect(() => clopperPearson(successes, trials, confidence)).toThrow(TouchmarkError);
      expect(() => adjustedLowerBound(successes, trials, confidence, 1)).toThrow(TouchmarkError);
    }
    expect(() => adjustedLowerBound(1, 2, 0.9, 0)).toThrow(/0 checks/);
  });
});

describe('kolmogorovSmirnov', () => {
  it.each([
    // Volumes by exact polynomial integration over the ordered simplex (Python fractions).
    [1, 0.3, 0.7],
    [5, 0.4, 0.15456],
    [10, 0.25, 0.24491372483398438],
    [20, 0.3, 0.021533604376327054],
    [40, 0.1, 0.4214806641647243],
  ])('is exact for %i values at a distance of %f', (count, distance, p) => {
    const values = Array.from({ length: count }, (_, index) =>
      Math.max(0, (index + 1) / count - distance),
    );
    const result = kolmogorovSmirnov(values);
    expect(result.statistic).toBeCloseTo(distance, 12);
    expect(result.superUniformP).toBeCloseTo(p, 10);
  });

  it('accepts uniform and super-uniform p-values and rejects small ones', () => {
    const random = seededRandom('p-values');
    const uniform = Array.from({ length: 4000 }, () => random.uniform());
    expect(kolmogorovSmirnov(uniform).superUniformP).toBeGreaterThan(0.001);
    const large = uniform.map((p) => Math.sqrt(p));
    expect(kolmogorovSmirnov(large).superUniformP).toBeGreaterThan(0.9);
    const small = uniform.map((p) => p ** 1.2);
    expect(kolmogorovSmirnov(small).superUniformP).toBeLessThan(1e-6);
    expect(kolmogorovSmirnov([1, 1, 1])).toEqual({ statistic: 0, superUniformP: 1 });
    expect(kolmogorovSmirnov([0, 0])).toEqual({ statistic: 1, superUniformP: 0 });
  });

  it('has uniform p-values itself under the null', () => {
    const random = seededRandom('twice');
    const inner = Array.from(
      { length: 1000 },
      () => kolmogorovSmirnov(Array.from({ length: 30 }, () => random.uniform())).superUniformP,
    );
    expect(kolmogorovSmirnov(inner).superUniformP).toBeGreaterThan(1e-4);
    expect(kolmogorovSmirnov(inner.map((p) => 1 - p)).superUniformP).toBeGreaterThan(1e-4);
  });

  it('refuses what is no p-value', () => {
    for (const values of [[], [0.5, 1.1], [-0.1], [Number.NaN]]) {
      expect(() => kolmogorovSmirnov(values)).toThrow(TouchmarkError);
    }
  });
});
