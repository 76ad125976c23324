import { describe, expect, it } from 'vitest';
import {
  DeviationFilter,
  type Distances,
  distancesOf,
  isFar,
  type ReferenceStandard,
  rankedShare,
  referenceStandard,
} from '../../src/fingerprints/reference-standard.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

const numbers = (...values: number[]) => Float64Array.from(values);
/** Chance is where references are, so that nothing is taken out. */
const standard: ReferenceStandard = {
  mean: numbers(0, 0),
  spread: numbers(1, 2),
  chance: numbers(0, 0),
};
const protectedModel = numbers(2, 2);
const shared = (model: Float64Array, own = protectedModel, known = standard) =>
  new DeviationFilter(own, known).sharedBy(model);

describe('referenceStandard', () => {
  it('has the mean of one kind and the mean variance of both', () => {
    const { mean, spread, chance } = referenceStandard(
      [numbers(1, 0), numbers(3, 0)],
      [numbers(10, 4), numbers(10, 8)],
      [numbers(0, 0), numbers(1, 2)],
    );
    expect([...mean]).toEqual([2, 0]);
    expect(spread[0]).toBeCloseTo(Math.sqrt((1 + 0) / 2), 12);
    expect(spread[1]).toBeCloseTo(Math.sqrt((0 + 4) / 2), 12);
    expect([...chance]).toEqual([0.5, 1]);
  });

  it('passes over what a model did not answer', () => {
    const references = [numbers(Number.NaN, 1), numbers(4, 3)];
    expect([...referenceStandard(references, [numbers(0, 0)], []).mean]).toEqual([4, 2]);
  });
});

describe('DeviationFilter', () => {
  it('weighs deviations in the protected direction by their rarity', () => {
    // Variances 1 and 4, a tenth of their mean is .25: 2 / 1.25 and 2 / 4.25.
    expect(shared(numbers(1, 0))).toBeCloseTo(2 / 1.25, 5);
    expect(shared(numbers(0, -1))).toBeCloseTo(-2 / 4.25, 5);
  });

  it('holds a question that was not answered against likeness', () => {
    expect(shared(numbers(Number.NaN, 0))).toBeCloseTo(-2 / 1.25, 5);
  });

  it('says nothing where the protected model is as references are, or did not answer', () => {
    expect(shared(numbers(9, 9), numbers(0, Number.NaN))).toBe(0);
  });

  it('stays finite where all references agree', () => {
    const agreed = { mean: numbers(1), spread: numbers(0), chance: numbers(1) };
    expect(shared(numbers(0), numbers(0), agreed)).toBeGreaterThan(0);
    expect(Number.isFinite(shared(numbers(0), numbers(0), agreed))).toBe(true);
  });

  it('is blind to answers at random, in part or whole', () => {
    const blind = { ...standard, chance: numbers(3, 9) };
    for (const part of [0.1, 0.5, 1])
      expect(shared(numbers(3 * part, 9 * part), protectedModel, blind)).toBeCloseTo(0, 12);
    expect(shared(protectedModel, protectedModel, blind)).toBeGreaterThan(0);
  });

  it('has mean 0 over models that are as the references are', () => {
    const random = seededRandom('standard');
    const model = () => Float64Array.from({ length: 50 }, () => random.normal());
    const models = () => Array.from({ length: 400 }, model);
    const known = referenceStandard(models(), models(), [new Float64Array(50).fill(20)]);
    const own = model();
    const mean = models().reduce((sum, each) => sum + shared(each, own, known) / 400, 0);
    expect(Math.abs(mean)).toBeLessThan(0.05 * shared(own, own, known));
  });

  it('measures distances in spreads', () => {
    const filter = new DeviationFilter(protectedModel, standard);
    expect(filter.distanceOf(numbers(3, Number.NaN))).toBeCloseTo(3 / Math.sqrt(1.25), 5);
  });
});

describe('distancesOf', () => {
  it('has the farthest reference, the mean of chance, and how much more chance varies', () => {
    const filter = new DeviationFilter(protectedModel, standard);
    const found = distancesOf(
      filter,
      [[numbers(1, 0), numbers(-1, 0)]],
      [numbers(0, 5), numbers(4, 0), numbers(-4, 0)],
    );
    const [one, five] = [1 / Math.sqrt(1.25), 5 / Math.sqrt(4.25)];
    expect(found.reach).toBeCloseTo(one, 5);
    expect(found.chance).toBeCloseTo((five + 8 * one) / 3, 5);
    const [unit, up] = [2 / 1.25, (2 / 4.25) * 5];
    const mean = up / 3;
    const variance = ((up - mean) ** 2 + (4 * unit - mean) ** 2 + (4 * unit + mean) ** 2) / 3;
    expect(found.noise).toBeCloseTo(variance / unit ** 2, 4);
  });
});

describe('rankedShare', () => {
  const filter = new DeviationFilter(protectedModel, standard);
  const distances: Distances = { reach: 2, chance: 10, noise: 8 };
  const ranked = (model: Float64Array) => rankedShare(filter, model, distances, 5);

  it('is what is shared, within the reach of references', () => {
    expect(ranked(numbers(1, 0))).toBe(filter.sharedBy(numbers(1, 0)));
  });

  it('is measured against chance by as much as a model is farther than references', () => {
    const model = numbers(6, 0);
    const part = (filter.distanceOf(model) ** 2 - 4) / (100 - 4);
    expect(part).toBeGreaterThan(0.2);
    expect(ranked(model)).toBeCloseTo(filter.sharedBy(model) / Math.sqrt(1 + 8 * part), 12);
  });

  it('is less than anybody has for a model as far away as chance', () => {
    expect(isFar(filter, numbers(11, 0), distances)).toBe(true);
    expect(ranked(numbers(11, 0))).toBe(-5);
    expect(isFar(filter, numbers(6, 0), distances)).toBe(false);
  });
});
