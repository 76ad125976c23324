import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { log10GammaUpperTail } from '../../../src/stats/tails/gamma.ts';
import { expectClose, vectors } from './close.ts';

const shape = fc.double({ min: -3, max: 5, noNaN: true }).map((power) => 10 ** power);
const factor = fc.double({ min: -2, max: 1, noNaN: true }).map((power) => 10 ** power);

describe('log10GammaUpperTail', () => {
  it('agrees with 60-digit values from p near 1 down to 1e-10000', () => {
    for (const [a, x, log10P] of vectors.gamma) {
      expectClose(log10GammaUpperTail(a, x), log10P, [a, x]);
    }
    const depths = vectors.gamma.map(([, , log10P]) => log10P);
    expect(Math.min(...depths)).toBeLessThan(-9900);
    expect(Math.max(...depths)).toBeGreaterThan(-1e-100);
  });

  it('is exponential for shape 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 23_000, noNaN: true }), (x) => {
        expectClose(log10GammaUpperTail(1, x), -x / Math.LN10, x);
      }),
    );
  });

  it('falls with the value and rises with the shape', () => {
    fc.assert(
      fc.property(shape, factor, (a, times) => {
        const value = log10GammaUpperTail(a, a * times);
        const slack = 1e-11 * Math.abs(value);
        expect(log10GammaUpperTail(a, a * times * 1.01)).toBeLessThanOrEqual(value + slack);
        expect(log10GammaUpperTail(a * 1.01, a * times)).toBeGreaterThanOrEqual(value - slack);
      }),
    );
  });

  it('knows the ends and refuses the rest', () => {
    expect(log10GammaUpperTail(3, 0)).toBe(0);
    expect(log10GammaUpperTail(3, Infinity)).toBe(-Infinity);
    for (const [a, x] of [
      [0, 1],
      [-1, 1],
      [Infinity, 1],
      [1, -1],
      [1, Number.NaN],
    ] as const) {
      expect(() => log10GammaUpperTail(a, x)).toThrow(TouchmarkError);
    }
  });
});
