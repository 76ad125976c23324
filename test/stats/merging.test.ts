import { expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { log10Hedged, log10Product, log10WeightedMean } from '../../src/stats/merging.ts';

it('multiplies', () => {
  expect(log10Product([])).toBe(0);
  expect(log10Product([3, -1, 9000])).toBe(9002);
  expect(log10Product([3, -Infinity])).toBe(-Infinity);
  expect(() => log10Product([1, Number.NaN])).toThrow(TouchmarkError);
});

it('takes weighted means of any size', () => {
  expect(log10WeightedMean([1, 3], [0.5, 0.5])).toBeCloseTo(Math.log10(505), 12);
  expect(log10WeightedMean([9000, -9000], [0.1, 0.9])).toBeCloseTo(8999, 9);
  expect(log10WeightedMean([2, 50], [1, 0])).toBeCloseTo(2, 12);
  expect(log10WeightedMean([2, -Infinity], [0.25, 0.75])).toBeCloseTo(Math.log10(25), 12);
  expect(log10WeightedMean([], [])).toBe(-Infinity);
  expect(log10WeightedMean([1, 1, 1], [1 / 3, 1 / 3, 1 / 3])).toBeCloseTo(1, 12);
});

it('refuses weights that would inflate the evidence', () => {
  for (const weights of [[0.6, 0.5], [1.2, -0.2], [1], [Number.NaN, 0.1]]) {
    expect(() => log10WeightedMean([1, 1], weights)).toThrow(TouchmarkError);
  }
  expect(() => log10WeightedMean([Infinity], [0])).toThrow(/number 0 is Infinity/);
});

it('hedges', () => {
  expect(log10Hedged(0)).toBeCloseTo(0, 14);
  expect(log10Hedged(-Infinity)).toBeCloseTo(-Math.log10(2), 14);
  expect(log10Hedged(1)).toBeCloseTo(Math.log10(5.5), 14);
  expect(log10Hedged(5000)).toBeCloseTo(5000 - Math.log10(2), 9);
});
