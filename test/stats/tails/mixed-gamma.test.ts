import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { log10GammaUpperTail } from '../../../src/stats/tails/gamma.ts';
import { log10MixedGammaUpperTail } from '../../../src/stats/tails/mixed-gamma.ts';
import { expectClose } from './close.ts';

const { log10UpperTail } = JSON.parse(
  readFileSync(new URL('../../vectors/text-mixed-gamma.json', import.meta.url), 'utf8'),
) as { log10UpperTail: [count: number, alpha: number, value: number, log10P: number][] };

describe('the tail of a mixture of two Gamma variables', () => {
  it('is right to 1e-9 relative in log10 p, near 1 and far out', () => {
    for (const [count, alpha, value, expected] of log10UpperTail) {
      expectClose(log10MixedGammaUpperTail(count, alpha, value), expected, [count, alpha, value]);
    }
    expect(Math.min(...log10UpperTail.map(([, , , log10P]) => log10P))).toBeLessThan(-300);
  });

  it('is that of one Gamma variable with equal weights', () => {
    for (const [count, value] of [
      [3, 1],
      [3, 40],
      [100000, 100300],
      [100000, 99000],
    ] as const) {
      const expected = log10GammaUpperTail(2 * count, 2 * value);
      expectClose(log10MixedGammaUpperTail(count, 0.5, value), expected, [count, value]);
    }
  });

  it('does not depend on which of the two has which weight, falls, and ends at 0 and infinity', () => {
    for (const count of [1, 40, 20000]) {
      let before = 0;
      for (const share of [0.1, 0.5, 0.9, 0.99, 1, 1.01, 1.1, 2, 5]) {
        const tail = log10MixedGammaUpperTail(count, 0.25, share * count);
        expect(tail).toBe(log10MixedGammaUpperTail(count, 0.75, share * count));
        expect(tail).toBeLessThanOrEqual(before);
        before = tail;
      }
      expect(log10MixedGammaUpperTail(count, 0.25, 0)).toBe(0);
      expect(log10MixedGammaUpperTail(count, 0.25, Infinity)).toBe(-Infinity);
    }
  });

  it.each([
    [0, 0.1, 1],
    [1.5, 0.1, 1],
    [1, 0, 1],
    [1, 1, 1],
    [1, Number.NaN, 1],
    [1, 0.1, -1],
    [1, 0.1, Number.NaN],
  ])('refuses count %s, alpha %s, value %s', (count, alpha, value) => {
    expect(() => log10MixedGammaUpperTail(count, alpha, value)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
