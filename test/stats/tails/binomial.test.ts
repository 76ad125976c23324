import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { log10BinomialUpperTail } from '../../../src/stats/tails/binomial.ts';
import { expectClose, vectors } from './close.ts';

const probability = fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true });
const trials = fc.integer({ min: 1, max: 3000 });

describe('log10BinomialUpperTail', () => {
  it('agrees with exact sums from p near 1 down to 1e-10000', () => {
    for (const [successes, count, p, log10P] of vectors.binomial) {
      expectClose(log10BinomialUpperTail(successes, count, p), log10P, [successes, count, p]);
    }
    const depths = vectors.binomial.map(([, , , log10P]) => log10P);
    expect(Math.min(...depths)).toBeLessThan(-10_000);
    expect(Math.max(...depths)).toBeGreaterThan(-1e-100);
  });

  it('knows the ends', () => {
    expect(log10BinomialUpperTail(0, 0, 0.5)).toBe(0);
    expect(log10BinomialUpperTail(0, 10, 0)).toBe(0);
    expect(log10BinomialUpperTail(1, 10, 0)).toBe(-Infinity);
    expect(log10BinomialUpperTail(10, 10, 1)).toBe(0);
    expect(log10BinomialUpperTail(11, 10, 1)).toBe(-Infinity);
    expect(log10BinomialUpperTail(-3, 10, 0.2)).toBe(0);
  });

  it('falls with the successes and rises with the trials and the probability', () => {
    fc.assert(
      fc.property(
        trials,
        probability,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, p, share) => {
          const k = Math.ceil(share * n);
          const value = log10BinomialUpperTail(k, n, p);
          const slack = 1e-12 * Math.abs(value);
          expect(log10BinomialUpperTail(k + 1, n, p)).toBeLessThanOrEqual(value + slack);
          expect(log10BinomialUpperTail(k, n + 1, p)).toBeGreaterThanOrEqual(value - slack);
          expect(log10BinomialUpperTail(k, n, (1 + p) / 2)).toBeGreaterThanOrEqual(value - slack);
        },
      ),
    );
  });

  it('is the complement of the tail of the failures', () => {
    fc.assert(
      fc.property(
        trials,
        probability,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, p, share) => {
          const k = Math.ceil(share * n);
          const upper = 10 ** log10BinomialUpperTail(k, n, p);
          const lower = 10 ** log10BinomialUpperTail(n - k + 1, n, 1 - p);
          expect(upper + lower).toBeCloseTo(1, 10);
        },
      ),
    );
  });

  it('refuses what is no binomial', () => {
    for (const [k, n, p] of [
      [1.5, 3, 0.5],
      [1, -1, 0.5],
      [1, Number.NaN, 0.5],
      [1, 3, 1.1],
      [1, 3, Number.NaN],
    ] as const) {
      expect(() => log10BinomialUpperTail(k, n, p)).toThrow(TouchmarkError);
    }
  });
});
