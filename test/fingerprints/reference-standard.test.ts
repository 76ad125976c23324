import { describe, expect, it } from 'vitest';
import {
  DeviationFilter,
  type ReferenceStandard,
  referenceStandard,
} from '../../src/fingerprints/reference-standard.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

const numbers = (...values: number[]) => Float64Array.from(values);
const sharedDeviation = (
  suspect: Float64Array,
  protectedModel: Float64Array,
  standard: ReferenceStandard,
) => new DeviationFilter(protectedModel, standard).sharedBy(suspect);

describe('referenceStandard', () => {
  it('has the mean of one kind and the mean variance of both', () => {
    const { mean, spread, chance } = referenceStandard(
      () => [numbers(1, 0), numbers(3, 0)],
      () => [numbers(10, 4), numbers(10, 8)],
      () => [numbers(0, 0), numbers(1, 2)],
    );
    expect([...mean]).toEqual([2, 0]);
    expect([...chance]).toEqual([0.5, 1]);
    expect(spread[0]).toBeCloseTo(Math.sqrt((1 + 0) / 2), 12);
    expect(spread[1]).toBeCloseTo(Math.sqrt((0 + 4) / 2), 12);
  });

  it('passes over what a model did not answer', () => {
    const { mean } = referenceStandard(
      () => [numbers(Number.NaN, 1), numbers(4, 3)],
      () => [numbers(0, 0)],
      () => [],
    );
    expect([...mean]).toEqual([4, 2]);
  });

  it('reaches as far as models do that it does not know', () => {
    const random = seededRandom('reach');
    const models = (count: number) =>
      Array.from({ length: count }, () => Float64Array.from({ length: 60 }, () => random.normal()));
    const [same, other] = [models(30), models(30)];
    const { mean, spread, reach } = referenceStandard(
      () => same,
      () => other,
      () => models(1),
    );
    const floor = (0.1 * spread.reduce((sum, each) => sum + each * each, 0)) / 60;
    const distance = (model: Float64Array) =>
      Math.sqrt(
        model.reduce(
          (sum, value, place) => sum + (value - mean[place]!) ** 2 / (spread[place]! ** 2 + floor),
          0,
        ),
      );
    const within = models(1000).filter((model) => distance(model) <= reach).length / 1000;
    expect(within).toBeGreaterThan(0.85);
    expect(within).toBeLessThan(0.995);
  });
});

describe('sharedDeviation', () => {
  /** Chance is where references are, so that nothing is taken out. */
  const standard = { mean: numbers(0, 0), spread: numbers(1, 2), chance: numbers(0, 0), reach: 0 };
  const protectedModel = numbers(2, 2);

  it('weighs deviations in the protected direction by their rarity', () => {
    // Variances 1 and 4, a tenth of their mean is .25: 2 / 1.25 and 2 / 4.25.
    const weights = [2 / 1.25, 2 / 4.25] as const;
    expect(sharedDeviation(numbers(1, 0), protectedModel, standard)).toBeCloseTo(weights[0], 5);
    expect(sharedDeviation(numbers(0, -1), protectedModel, standard)).toBeCloseTo(-weights[1], 5);
  });

  it('holds a question that was not answered against likeness', () => {
    const found = sharedDeviation(numbers(Number.NaN, 0), protectedModel, standard);
    expect(found).toBeCloseTo(-2 / 1.25, 5);
  });

  it('says nothing where the protected model is as references are, or did not answer', () => {
    expect(sharedDeviation(numbers(9, 9), numbers(0, Number.NaN), standard)).toBe(0);
  });

  it('stays finite where all references agree', () => {
    const agreed = { mean: numbers(1), spread: numbers(0), chance: numbers(1), reach: 0 };
    expect(sharedDeviation(numbers(0), numbers(0), agreed)).toBeGreaterThan(0);
    expect(Number.isFinite(sharedDeviation(numbers(0), numbers(0), agreed))).toBe(true);
  });

  it('is blind to answers at random, in part or whole', () => {
    const blind = { ...standard, chance: numbers(3, 9) };
    for (const part of [0.1, 0.5, 0.9])
      expect(sharedDeviation(numbers(3 * part, 9 * part), protectedModel, blind)).toBeCloseTo(
        0,
        12,
      );
    expect(sharedDeviation(protectedModel, protectedModel, blind)).toBeGreaterThan(0);
  });

  it('divides by the distance of a suspect beyond reach', () => {
    const bounded = { ...standard, reach: 1 };
    const whole = sharedDeviation(numbers(3, 0), protectedModel, standard);
    const distance = Math.sqrt(9 / 1.25);
    expect(sharedDeviation(numbers(3, 0), protectedModel, bounded)).toBeCloseTo(
      whole / distance,
      5,
    );
    expect(sharedDeviation(numbers(0.5, 0), protectedModel, bounded)).toBeCloseTo(
      sharedDeviation(numbers(0.5, 0), protectedModel, standard),
      12,
    );
  });

  it('gives less than anybody to a suspect as far from references as chance', () => {
    const near = { ...standard, chance: numbers(3, 9) };
    expect(sharedDeviation(numbers(4, 0), protectedModel, near)).toBeGreaterThan(0);
    const far = sharedDeviation(numbers(40, 0), protectedModel, near);
    expect(far).toBeLessThan(-sharedDeviation(protectedModel, protectedModel, near) + 1e-9);
  });

  it('has mean 0 over models that are as the references are', () => {
    const random = seededRandom('standard');
    const model = () => Float64Array.from({ length: 50 }, () => random.normal());
    const [same, other] = [Array.from({ length: 400 }, model), Array.from({ length: 400 }, model)];
    const references = referenceStandard(
      () => same,
      () => other,
      () => [new Float64Array(50).fill(20)],
    );
    const own = model();
    const scale = sharedDeviation(own, own, references);
    const mean = Array.from({ length: 400 }, () =>
      sharedDeviation(model(), own, references),
    ).reduce((sum, each) => sum + each / 400, 0);
    expect(Math.abs(mean)).toBeLessThan(0.05 * scale);
  });
});
