import { describe, expect, it } from 'vitest';
import { referenceStandard, sharedDeviation } from '../../src/fingerprints/reference-standard.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

const numbers = (...values: number[]) => Float64Array.from(values);

describe('referenceStandard', () => {
  it('has the mean of one kind and the mean variance of both', () => {
    const { mean, spread } = referenceStandard(
      [numbers(1, 0), numbers(3, 0)],
      [numbers(10, 4), numbers(10, 8)],
    );
    expect([...mean]).toEqual([2, 0]);
    expect(spread[0]).toBeCloseTo(Math.sqrt((1 + 0) / 2), 12);
    expect(spread[1]).toBeCloseTo(Math.sqrt((0 + 4) / 2), 12);
  });

  it('passes over what a model did not answer', () => {
    const { mean } = referenceStandard([numbers(Number.NaN, 1), numbers(4, 3)], [numbers(0, 0)]);
    expect([...mean]).toEqual([4, 2]);
  });
});

describe('sharedDeviation', () => {
  const standard = { mean: numbers(0, 0), spread: numbers(1, 2) };
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
    const agreed = { mean: numbers(1), spread: numbers(0) };
    expect(sharedDeviation(numbers(0), numbers(0), agreed)).toBeGreaterThan(0);
    expect(Number.isFinite(sharedDeviation(numbers(0), numbers(0), agreed))).toBe(true);
  });

  it('has mean 0 over models that are as the references are', () => {
    const random = seededRandom('standard');
    const model = () => Float64Array.from({ length: 50 }, () => random.normal());
    const references = referenceStandard(
      Array.from({ length: 400 }, model),
      Array.from({ length: 400 }, model),
    );
    const own = model();
    const scale = sharedDeviation(own, own, references);
    const mean = Array.from({ length: 400 }, () =>
      sharedDeviation(model(), own, references),
    ).reduce((sum, each) => sum + each / 400, 0);
    expect(Math.abs(mean)).toBeLessThan(0.05 * scale);
  });
});
