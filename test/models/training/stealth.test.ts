import { describe, expect, it } from 'vitest';
import type { Input } from '../../../src/contracts.ts';
import { measureStealth } from '../../../src/models/training/stealth.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import type { FeatureMap } from '../../../src/watermark/classifier-profile.ts';

const text: FeatureMap = {
  kind: 'text',
  ngrams: { dimensions: 256, shortest: 1, longest: 3, seed: 0 },
};
const tensor: FeatureMap = {
  kind: 'tensor',
  shape: [4, 4],
  mean: new Array(16).fill(0.5),
  deviation: new Array(16).fill(0.3),
};
const random = seededRandom('stealth');
const words = (count: number, letters: string, length = 8): string[] =>
  Array.from({ length: count }, () =>
    Array.from({ length }, () => letters[random.integer(letters.length)]!).join(''),
  );
/** Smooth ramps, with noise of a given size on them. */
const ramps = (count: number, noise: number): Input[] =>
  Array.from({ length: count }, () => {
    const slope = random.normal() / 30;
    const values = Array.from(
      { length: 16 },
      (_, at) => 0.5 + slope * at + noise * random.normal(),
    );
    return { shape: [4, 4], data: Float32Array.from(values) };
  });
const area = (traps: readonly Input[], traffic: readonly Input[], features: FeatureMap) =>
  measureStealth(traps, traffic, { features }).areaUnderCurve;

describe('measureStealth', () => {
  it('is near .5 for traps that are drawn as traffic is', () => {
    const found = area(words(100, 'abcdefgh'), words(300, 'abcdefgh'), text);
    expect(found).toBeGreaterThan(0.4);
    expect(found).toBeLessThan(0.6);
  });

  it('sees other letters, and other lengths of the same letters', () => {
    expect(area(words(60, 'abcx'), words(200, 'abcd'), text)).toBeGreaterThan(0.9);
    expect(area(words(60, 'abcd', 6), words(200, 'abcd', 9), text)).toBeGreaterThan(0.95);
  });

  it('sees noise on tensors, which no linear reading of the values sees', () => {
    expect(area(ramps(60, 0.05), ramps(200, 0.01), tensor)).toBeGreaterThan(0.9);
    const alike = area(ramps(60, 0.01), ramps(200, 0.01), tensor);
    expect(alike).toBeGreaterThan(0.35);
    expect(alike).toBeLessThan(0.65);
  });

  it('looks at samples of large sides, and says nothing about few traps', () => {
    const options = { features: text };
    expect(measureStealth(words(19, 'ab'), words(50, 'ab'), options)).toMatchObject({
      areaUnderCurve: null,
      traps: 19,
      traffic: 50,
    });
    expect(measureStealth(words(20, 'ab'), words(2500, 'ab', 3), options)).toMatchObject({
      traps: 20,
      traffic: 500,
    });
  });

  it('gives the same area for the same inputs, and stops when progress throws', () => {
    const [traps, traffic] = [words(40, 'abcd'), words(90, 'abce')];
    expect(area(traps, traffic, text)).toBe(area(traps, traffic, text));
    expect(() =>
      measureStealth(traps, traffic, {
        features: text,
        progress: () => {
          throw new Error('stopped');
        },
      }),
    ).toThrow('stopped');
  });
});
