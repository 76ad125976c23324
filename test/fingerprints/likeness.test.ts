import { describe, expect, it } from 'vitest';
import { closeness, correlation } from '../../src/fingerprints/likeness.ts';

const numbers = (...values: number[]) => Float64Array.from(values);

describe('correlation', () => {
  it('is that of Pearson: Anscombe 1973, first set, .81642', () => {
    const x = numbers(10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5);
    const y = numbers(8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68);
    expect(correlation(x, y)).toBeCloseTo(0.81642, 5);
  });

  it('passes over places where either has no number', () => {
    const none = Number.NaN;
    expect(correlation(numbers(1, 2, none, 3), numbers(2, 4, 9, 6))).toBeCloseTo(1, 12);
    expect(correlation(numbers(none), numbers(1))).toBe(0);
  });

  it('is 1 for equal constants, 0 beside a constant', () => {
    expect(correlation(numbers(3, 3), numbers(3, 3))).toBe(1);
    expect(correlation(numbers(3, 3), numbers(1, 2))).toBe(0);
  });
});

describe('closeness', () => {
  it('is 1 less the mean difference', () => {
    expect(closeness(numbers(0, 1, Number.NaN), numbers(0.5, 1, 7))).toBe(0.75);
    expect(closeness(numbers(Number.NaN), numbers(1))).toBe(0);
  });
});
