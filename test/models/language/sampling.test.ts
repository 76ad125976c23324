import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sampling, TokenMarker } from '../../../src/contracts.ts';
import { denseDistribution } from '../../../src/models/language/next-token-model.ts';
import { TokenSampler } from '../../../src/models/language/sampling.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { fixedModel } from './fixed-model.ts';

/** p = .05 .25 .1 .4 .12 .08 */
const model = fixedModel([0.05, 0.2, 0.1, 0.45, 0.12, 0.08], { 1: 0.25, 3: 0.4 });
const probabilities = [0.05, 0.25, 0.1, 0.4, 0.12, 0.08];
const noContext = new Int32Array(0);
const draws = 20_000;

/** Chi-square quantiles at 1 - 1e-3, by degrees of freedom (Pearson and Hartley, table 8). */
const quantiles = [0, 10.828, 13.816, 16.266, 18.467, 20.515];

function drawMany(sampling: Partial<Sampling>, marker?: TokenMarker): number[] {
  const sampler = new TokenSampler(model, { maxTokens: 1, temperature: 1, ...sampling });
  const random = seededRandom('draws');
  const counts = [0, 0, 0, 0, 0, 0];
  for (let draw = 0; draw < draws; draw++) counts[sampler.draw(noContext, random, marker)]! += 1;
  return counts;
}

function expectLaw(counts: readonly number[], weights: readonly number[]): void {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let chiSquare = 0;
  weights.forEach((weight, token) => {
    const expected = (draws * weight) / sum;
    if (weight === 0) expect(counts[token]).toBe(0);
    else chiSquare += (counts[token]! - expected) ** 2 / expected;
  });
  expect(chiSquare).toBeLessThan(quantiles[weights.filter((weight) => weight > 0).length - 1]!);
}

describe('TokenSampler', () => {
  it('reads the model that the tests mean', () => {
    const dense = denseDistribution(model, noContext);
    probabilities.forEach((probability, token) => {
      expect(dense[token]).toBeCloseTo(probability, 6);
    });
  });

  it.each([1, 0.7, 0.3, 2])('draws from p to the power of 1 / temperature at %f', (temperature) => {
    const weights = probabilities.map((p) => p ** (1 / temperature));
    expectLaw(drawMany({ temperature }), weights);
  });

  it.each([
    [2, [0, 0.25, 0, 0.4, 0, 0]],
    [4, [0, 0.25, 0.1, 0.4, 0.12, 0]],
    [6, probabilities],
    [60, probabilities],
  ])('keeps the %i likeliest', (topK, kept) => {
    const weights = kept.map((p) => p ** (1 / 0.7));
    expectLaw(drawMany({ topK, temperature: 0.7 }), weights);
  });

  it('takes the likeliest token at temperature 0 and when only one is kept', () => {
    for (const sampling of [{ temperature: 0 }, { topK: 1 }]) {
      expect(drawMany(sampling)[3]).toBe(draws);
    }
    const level = fixedModel([0.1, 0.3, 0.6], { 2: 0.2 });
    const sampler = new TokenSampler(level, { maxTokens: 1, temperature: 0 });
    expect(sampler.draw(noContext, seededRandom('level'))).toBe(1);
  });

  it.each([1e-6, 1e-50, Number.MIN_VALUE])('goes to the likeliest token at %d', (temperature) => {
    const flat = fixedModel(new Array(3000).fill(1 / 3000), { 7: 1.001 / 3000 });
    const sampler = new TokenSampler(flat, { maxTokens: 1, temperature });
    for (const marker of [undefined, { mark: () => undefined }]) {
      expect(sampler.draw(noContext, seededRandom('cold'), marker)).toBe(7);
    }
  });

  it('draws from what a marker leaves, at temperature 1', () => {
    const marker: TokenMarker = {
      mark: (logits) => {
        logits[0]! += Math.log(8);
        logits[3] = -Infinity;
        logits[4] = Number.NaN;
      },
    };
    const weights = probabilities.map((p) => p ** 2);
    weights[0]! *= 8;
    weights[3] = 0;
    weights[4] = 0;
    expectLaw(drawMany({ temperature: 0.5 }, marker), weights);
  });

  it('gives a marker the kept tokens by their ratio to the likeliest, and nothing else', () => {
    const seen: number[][] = [];
    const sampler = new TokenSampler(model, { maxTokens: 1, temperature: 0.5, topK: 3 });
    const context = Int32Array.of(5, 4, 3);
    sampler.draw(context, seededRandom('seen'), {
      mark: (logits, given) => {
        expect(given).toBe(context);
        seen.push([...logits]);
      },
    });
    expect(seen).toHaveLength(1);
    [0.25, 0.4, 0.12].forEach((probability, index) => {
      expect(seen[0]![[1, 3, 4][index]!]).toBeCloseTo(2 * Math.log(probability / 0.4), 5);
    });
    expect([0, 2, 5].map((token) => seen[0]![token])).toEqual([-Infinity, -Infinity, -Infinity]);
  });

  it('takes a marked +Infinity for certain', () => {
    const marker: TokenMarker = {
      mark: (logits) => {
        logits[5] = Infinity;
      },
    };
    expect(drawMany({}, marker)[5]).toBe(draws);
  });

  it('says so when a marker makes every token impossible', () => {
    for (const value of [-Infinity, Number.NaN]) {
      const marker: TokenMarker = { mark: (logits) => logits.fill(value) };
      expect(() => drawMany({}, marker)).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
    }
  });

  it('refuses sampling options outside their ranges', () => {
    const bad = fc.oneof(
      fc.record({
        maxTokens: fc.oneof(fc.integer({ max: -1 }), fc.constantFrom(0.5, Number.NaN, Infinity)),
        temperature: fc.constant(1),
      }),
      fc.record({
        maxTokens: fc.constant(1),
        temperature: fc.oneof(
          fc.double({ max: -Number.MIN_VALUE }),
          fc.constantFrom(Number.NaN, Infinity),
        ),
      }),
      fc.record({
        maxTokens: fc.constant(1),
        temperature: fc.constant(1),
        topK: fc.oneof(fc.integer({ max: 0 }), fc.constantFrom(1.5, Number.NaN)),
      }),
    );
    fc.assert(
      fc.property(bad, (sampling) => {
        expect(() => new TokenSampler(model, sampling)).toThrow(
          expect.objectContaining({ code: 'INPUT_INVALID' }),
        );
      }),
    );
  });
});
