import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFeatures } from '../../../src/watermark/classifier-profile.ts';
import { carrierNgrams, hashNgrams } from '../../../src/watermark/probability/features.ts';

const asObject = (text: string, options = carrierNgrams) => {
  const { indices, values } = hashNgrams(text, options);
  return Object.fromEntries([...indices].map((index, entry) => [index, values[entry]!]));
};

describe('hashNgrams', () => {
  it('has unit length and one entry per bucket, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const { indices, values } = hashNgrams(text, carrierNgrams);
        expect(new Set(indices).size).toBe(indices.length);
        expect(Math.hypot(...values)).toBeCloseTo(1, 5);
        expect(indices.every((index) => index < carrierNgrams.dimensions)).toBe(true);
      }),
    );
  });

  it('reads the same text in either normal form and case', () => {
    expect(asObject('Ünïté')).toEqual(asObject('ünïté'.normalize('NFD')));
    expect(asObject('unite')).not.toEqual(asObject('ünïté'));
  });

  it('counts n-grams between boundaries and damps them by a square root', () => {
    const unigrams = { dimensions: 1 << 20, shortest: 1, longest: 1, seed: 0 };
    const values = Object.values(asObject('aab', unigrams)).sort();
    const expected = [1, Math.SQRT2, Math.SQRT2].map((value) => value / Math.sqrt(5));
    values.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 6);
    });
  });

  it('moves to other buckets with another seed', () => {
    expect(asObject('abc', { ...carrierNgrams, seed: 1 })).not.toEqual(asObject('abc'));
  });

  it('gives the frozen features that answers were marked with', () => {
    const { indices, values } = hashNgrams('Né à', carrierNgrams);
    expect([...indices]).toEqual([
      2004, 696, 1310, 2201, 2639, 3995, 1945, 3658, 1641, 1129, 829, 250, 490, 921, 1527, 670,
    ]);
    expect(values[0]).toBeCloseTo(Math.sqrt(3 / 18), 7);
  });

  it.each([0, 3, 1000, 1 << 25])('refuses %i dimensions', (dimensions) => {
    expect(() => hashNgrams('a', { ...carrierNgrams, dimensions })).toThrow(/power of two/);
  });
});

describe('readFeatures', () => {
  const map = {
    kind: 'tensor',
    shape: [2, 2],
    mean: [1, 0, 0, 5],
    deviation: [2, 1, 0, 1],
  } as const;

  it('standardises tensors and leaves constant values out', () => {
    const { values } = readFeatures(map, { shape: [2, 2], data: Float32Array.of(3, -1, 9, 5) });
    expect([...values]).toEqual([0.5, -0.5, 0, 0]);
  });

  it('names what does not fit', () => {
    expect(() => readFeatures(map, 'text')).toThrow(/text where/);
    expect(() => readFeatures(map, { shape: [1], data: Float32Array.of(1) })).toThrow(
      /1 values where the watermark profile has 4/,
    );
    expect(() =>
      readFeatures(
        { kind: 'text', ngrams: carrierNgrams },
        { shape: [0], data: new Float32Array() },
      ),
    ).toThrow(/a tensor where/);
  });
});
