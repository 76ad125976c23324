import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { log10NormalUpperTail } from '../../../src/stats/tails/normal.ts';
import { expectClose, vectors } from './close.ts';

describe('log10NormalUpperTail', () => {
  it('agrees with 60-digit values for z from -30 to 220', () => {
    for (const [z, log10P] of vectors.normal) expectClose(log10NormalUpperTail(z), log10P, z);
    expect(log10NormalUpperTail(220)).toBeLessThan(-10_000);
  });

  it('falls with z, and the two tails sum to 1', () => {
    const z = fc.double({ min: -30, max: 200, noNaN: true });
    fc.assert(
      fc.property(z, fc.double({ min: 1e-6, max: 10, noNaN: true }), (at, step) => {
        expect(log10NormalUpperTail(at + step)).toBeLessThan(log10NormalUpperTail(at));
        expect(10 ** log10NormalUpperTail(at) + 10 ** log10NormalUpperTail(-at)).toBeCloseTo(1, 12);
      }),
    );
  });

  it('knows the ends and refuses NaN', () => {
    expect(log10NormalUpperTail(Infinity)).toBe(-Infinity);
    expect(log10NormalUpperTail(-Infinity)).toBe(0);
    expect(() => log10NormalUpperTail(Number.NaN)).toThrow(TouchmarkError);
  });
});
