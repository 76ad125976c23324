import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  normalise,
  servingFloor,
  toDistribution,
  topTwo,
} from '../../../src/watermark/probability/distribution.ts';
import { markDistribution } from '../../../src/watermark/probability/embed.ts';

/** Rows with exact ties, ties up to one rounding, one-hot rows and ordinary ones. */
const hardRow = fc
  .integer({ min: 2, max: 30 })
  .chain((classes) =>
    fc.array(
      fc.oneof(
        fc.constantFrom(0, 1e-9, 0.25, 0.5, 1, 0.5 + 2 ** -53, 0.5 - 2 ** -54, 1 - 2 ** -53),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      { minLength: classes, maxLength: classes },
    ),
  )
  .filter((row) => row.some((value) => value > 0))
  .map((row) => toDistribution(normalise(Float64Array.from(row)), servingFloor));

const marked = hardRow.chain((clean) =>
  fc.tuple(
    fc.constant(clean),
    fc.array(
      fc.oneof(
        fc.double({ min: -20, max: 20, noNaN: true }),
        fc.constantFrom(0, 1e-300, -1e-300, 1e-17, 700, -700),
      ),
      { minLength: clean.length, maxLength: clean.length },
    ),
  ),
);

describe('markDistribution', () => {
  it('never changes the arg-max, and stays a distribution, even at ties and near ties', () => {
    fc.assert(
      fc.property(marked, ([clean, shift]) => {
        const { served, scale } = markDistribution(clean, shift);
        expect(topTwo(served)[0]).toBe(topTwo(clean)[0]);
        expect(served.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
        expect(served.every((p) => p >= 0 && p <= 1)).toBe(true);
        expect(scale).toBeGreaterThanOrEqual(0);
        expect(scale).toBeLessThanOrEqual(1);
      }),
      { numRuns: 20_000, seed: 1 },
    );
  });

  it('keeps the arg-max of two classes that differ in the last bit only', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 0.5, noNaN: true }),
        fc.constantFrom(1, 2, 3, 8),
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.boolean(),
        (low, ulps, push, first) => {
          const high = low + ulps * 2 ** -54;
          const pair = first ? [high, low] : [low, high];
          const clean = Float64Array.from([...pair, 1 - low - high]);
          const { served } = markDistribution(clean, [push, -push, 0]);
          expect(topTwo(served)[0]).toBe(topTwo(clean)[0]);
        },
      ),
      { numRuns: 20_000, seed: 2 },
    );
  });

  it('adds the whole shift where there is room', () => {
    const clean = Float64Array.of(0.9, 0.06, 0.04);
    const { served, scale } = markDistribution(clean, [0.1, 0.2, -0.3]);
    expect(scale).toBe(1);
    expect(Math.log(served[1]! / served[2]!)).toBeCloseTo(Math.log(0.06 / 0.04) + 0.5, 12);
  });

  it('leaves a tenth of the gap to the top class', () => {
    const clean = Float64Array.of(0.6, 0.4);
    const { served } = markDistribution(clean, [-5, 5]);
    expect(Math.log(served[0]! / served[1]!)).toBeCloseTo(0.1 * Math.log(1.5), 12);
  });

  it('serves an exact tie unmarked', () => {
    const { served, scale } = markDistribution(Float64Array.of(0.4, 0.4, 0.2), [-1, 1, 0]);
    expect(scale).toBe(0);
    expect([...served]).toEqual([0.4, 0.4, 0.2]);
  });
});
