import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { log10BinomialUpperTail } from '../../../src/stats/tails/binomial.ts';
import { log10WeightedSignUpperTail } from '../../../src/stats/tails/weighted-signs.ts';
import { expectClose, vectors } from './close.ts';

describe('exact tails of weighted signs', () => {
  it('agree with whole-number counts on a lattice, down to 1e-10000', () => {
    for (const { groups, tails } of vectors.signs.lattice) {
      const weights = groups.flatMap(([weight, count]) => new Array<number>(count).fill(weight));
      for (const [threshold, log10P] of tails) {
        const tail = log10WeightedSignUpperTail(weights, threshold);
        expect(tail.exactness).toBe('exact');
        expectClose(tail.log10P, log10P, [groups.slice(0, 3), weights.length, threshold]);
      }
    }
    const all = vectors.signs.lattice.flatMap(({ tails }) => tails.map(([, log10P]) => log10P));
    expect(Math.min(...all)).toBeLessThan(-10_000);
  });

  it('agree with enumeration for up to 36 weights of any spread', () => {
    for (const { weights, tails } of vectors.signs.enumeration) {
      if (weights.length > 36) continue;
      for (const [threshold, log10P] of tails) {
        const tail = log10WeightedSignUpperTail(weights, threshold);
        expect(tail.exactness).toBe('exact');
        expectClose(tail.log10P, log10P, [weights.length, threshold]);
      }
    }
  });

  it('are binomial for equal weights of any unit', () => {
    const unit = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(unit, fc.integer({ min: 1, max: 400 }), fc.nat(400), (size, n, heads) => {
        const hits = heads % (n + 1);
        const sum = size * (2 * hits - n);
        const { log10P, exactness } = log10WeightedSignUpperTail(new Array(n).fill(size), sum);
        expect(exactness).toBe('exact');
        expectClose(log10P, log10BinomialUpperTail(hits, n, 0.5), [size, n, hits]);
      }),
    );
  });

  it('finds the unit of decimal weights, and counts ties as reached', () => {
    const tenths = Array.from({ length: 60 }, (_, index) => ((index % 7) + 1) / 10);
    const whole = tenths.map((weight) => Math.round(weight * 10));
    for (const threshold of [-9, -2, 0, 2, 30, 61]) {
      const tail = log10WeightedSignUpperTail(tenths, threshold / 10);
      expect(tail.exactness).toBe('exact');
      expectClose(tail.log10P, log10WeightedSignUpperTail(whole, threshold).log10P, threshold);
    }
    const { log10P } = log10WeightedSignUpperTail([0.1, 0.2, 0.3], 0.3 - 0.2 - 0.1);
    expectClose(log10P, Math.log10(5 / 8), 'tie at 0');
  });

  it('ignore the sign of weights and zeros', () => {
    const expected = log10WeightedSignUpperTail([1, 2, 3.5], 2.5);
    expect(log10WeightedSignUpperTail([-1, 0, 2, -3.5, 0], 2.5)).toEqual(expected);
    expect(log10WeightedSignUpperTail([0, 0], 0).log10P).toBe(0);
    expect(log10WeightedSignUpperTail([], 0.1).log10P).toBe(-Infinity);
  });

  it('fall with the threshold, and the strict complement sums to 1', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(weights, fc.integer({ min: -500, max: 500 }), (sizes, threshold) => {
        const at = (value: number) => log10WeightedSignUpperTail(sizes, value).log10P;
        expect(at(threshold + 1)).toBeLessThanOrEqual(at(threshold) + 1e-12);
        expect(10 ** at(threshold) + 10 ** at(1 - threshold)).toBeCloseTo(1, 10);
      }),
    );
  });
});

describe('conservative tails of weighted signs', () => {
  it('are never below, and at most .5% or .005 above, exact counts at 40 unrelated weights', () => {
    const { weights, tails } = vectors.signs.enumeration.at(-1)!;
    for (const [threshold, log10P] of tails) expectJustAbove(weights, threshold, log10P, 'exact');
  });

  it.each([40, 256, 1000, 5000])('stay as close at %i weights without a unit', (count) => {
    const random = seededRandom(`weights ${count}`);
    const whole = Array.from({ length: count }, () => Math.round(60 * random.normal() ** 2) + 1);
    const total = whole.reduce((sum, weight) => sum + weight, 0);
    const norm = Math.hypot(...whole);
    // Below half a unit in all: no sum crosses a threshold between two attainable sums.
    const shifted = whole.map((weight) => weight + random.uniform() / (2 * count));
    for (const wanted of [-2 * norm, 0, 2 * norm, Math.min(6 * norm, 0.7 * total), 0.6 * total]) {
      const threshold = 2 * Math.floor(wanted / 2) + 1 + (total % 2);
      const { log10P, exactness } = log10WeightedSignUpperTail(whole, threshold);
      expect(exactness).toBe('exact');
      expectJustAbove(shifted, threshold, log10P, count);
    }
    expectJustAbove(shifted, total, -count * Math.log10(2), 'all signs agree', 0.01);
  });

  it('hold for weights of huge spread', () => {
    const random = seededRandom('spread');
    const weights = Array.from({ length: 60 }, (_, index) => random.uniform() * 10 ** (index / 5));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const large = weights.slice(-30);
    const rest = weights.slice(0, -30).reduce((sum, weight) => sum + weight, 0);
    for (const share of [0.2, 0.5, 0.8, 0.99]) {
      const { log10P, exactness } = log10WeightedSignUpperTail(weights, share * total);
      expect(exactness).toBe('conservative');
      const least = log10WeightedSignUpperTail(large, share * total + rest).log10P;
      const most = log10WeightedSignUpperTail(large, share * total - rest).log10P;
      expect(log10P).toBeGreaterThanOrEqual(least);
      expect(log10P).toBeLessThanOrEqual(most + Math.max(0.005, 0.005 * -most));
    }
  });

  it('lie between exact tails at the threshold and .01 ||w|| below, whatever the spread', () => {
    const size = fc.double({ min: -1, max: 1, noNaN: true });
    const sizes = fc.array(size, { minLength: 37, maxLength: 37 });
    const spread = fc.constantFrom(0.1, 0.5, 3, 9);
    const share = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(sizes, spread, share, (exponents, width, part) => {
        const weights = exponents.map((exponent) => 10 ** (width * exponent));
        const threshold = part * weights.reduce((sum, weight) => sum + weight, 0);
        const { log10P } = log10WeightedSignUpperTail(weights, threshold);
        const least = enumeratedTail(weights, threshold);
        const most = enumeratedTail(weights, threshold - 0.01 * Math.hypot(...weights));
        expect(log10P).toBeGreaterThanOrEqual(least - 1e-9);
        expect(log10P).toBeLessThanOrEqual(most + Math.max(0.005, -0.005 * most));
      }),
      { numRuns: 80 },
    );
  });

  it('stay in order: a higher threshold is never much more likely', () => {
    const random = seededRandom('order');
    const weights = Array.from({ length: 100 }, () => random.normal());
    let last = 0;
    for (let threshold = -30; threshold <= 110; threshold += 0.7) {
      const { log10P } = log10WeightedSignUpperTail(weights, threshold);
      expect(log10P).toBeLessThanOrEqual(last + 0.001);
      last = log10P;
    }
    expect(last).toBe(-Infinity);
  });
});

it('refuses weights and thresholds that are no numbers', () => {
  expect(() => log10WeightedSignUpperTail([1, Infinity], 1)).toThrow(/weight 1 is Infinity/);
  expect(() => log10WeightedSignUpperTail([Number.NaN], 1)).toThrow(TouchmarkError);
  expect(() => log10WeightedSignUpperTail([1], Number.NaN)).toThrow(TouchmarkError);
});

/** The exact tail of 37 weights: both signs of the first, and enumeration of the others. */
function enumeratedTail([first, ...rest]: number[], threshold: number): number {
  const either = [threshold - first!, threshold + first!].map(
    (value) => 10 ** log10WeightedSignUpperTail(rest, value).log10P,
  );
  return Math.log10((either[0]! + either[1]!) / 2);
}

function expectJustAbove(
  weights: number[],
  threshold: number,
  exact: number,
  what: unknown,
  share = 0.005,
): void {
  const { log10P } = log10WeightedSignUpperTail(weights, threshold);
  const message = `${JSON.stringify(what)} at ${threshold}: ${log10P} for ${exact}`;
  expect(log10P - exact, message).toBeGreaterThanOrEqual(-1e-12 * Math.abs(exact));
  expect(log10P - exact, message).toBeLessThanOrEqual(Math.max(0.005, share * Math.abs(exact)));
}
