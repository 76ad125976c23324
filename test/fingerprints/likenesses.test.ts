import { describe, expect, it } from 'vitest';
import { bucketOf, countLikeness } from '../../src/fingerprints/hashed-counts.ts';
import { shareLikeness, sizeLikeness, untold } from '../../src/fingerprints/share-likeness.ts';
import { wordsOf } from '../../src/fingerprints/words.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

const list = (...values: number[]) => Float64Array.from(values);
const draws = 4000;
const strangers = (draw: () => number) => Float64Array.from({ length: draws }, draw);

describe('likeness of counts', () => {
  it('is the correlation of square roots, whatever the scale', () => {
    expect(countLikeness(list(0, 1, 4, 9), list(9, 16, 25, 36))).toBeCloseTo(1, 12);
    expect(countLikeness(list(0, 1, 4), list(4, 1, 0))).toBeCloseTo(-1, 12);
    expect(countLikeness(list(1, 2, 3), list(100, 200, 300))).toBeCloseTo(1, 12);
  });

  it('is defined where nothing was counted', () => {
    expect(countLikeness(list(0, 0), list(0, 0))).toBe(1);
    expect(countLikeness(list(0, 0), list(3, 1))).toBe(0);
    expect(countLikeness(list(0.1, 0.1, 0.1), list(0.3, 0.3, 0.3))).toBe(0);
  });
});

describe('buckets', () => {
  it('take about the same number of phrases each', () => {
    const counts = new Float64Array(16);
    for (let word = 0; word < 16_000; word++) {
      const bucket = bucketOf(`word ${word}`, 16);
      counts[bucket] = counts[bucket]! + 1;
    }
    const excess = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(excess).toBeLessThan(45);
  });
});

describe('likeness of shares and of sizes', () => {
  it('is 1 for the same, and least for the farthest', () => {
    expect(shareLikeness(list(0, 0.3, 1), list(0, 0.3, 1))).toBe(1);
    expect(shareLikeness(list(0, 0), list(1, 1))).toBeCloseTo(-2, 12);
    expect(sizeLikeness(list(0, 7), list(0, 7))).toBe(1);
    expect(sizeLikeness(list(0), list(7))).toBe(-1);
    expect(sizeLikeness(list(1), list(3))).toBeCloseTo(0, 12);
  });

  it('is 0 on average between strangers as they are defined', () => {
    const { uniform } = seededRandom('strangers');
    const share = () => Math.sin((Math.PI / 2) * uniform()) ** 2;
    const size = () => -Math.log(1 - uniform());
    expect(Math.abs(shareLikeness(strangers(share), strangers(share)))).toBeLessThan(0.05);
    expect(Math.abs(sizeLikeness(strangers(size), strangers(size)))).toBeLessThan(0.05);
  });

  it('leaves out what one side does not tell', () => {
    expect(shareLikeness(list(0.2, untold), list(0.2, 0.9))).toBe(1);
    expect(sizeLikeness(list(untold, 5), list(3, 5))).toBe(1);
    expect(shareLikeness(list(untold), list(0.5))).toBe(0);
    expect(shareLikeness(list(untold), list(untold))).toBe(1);
  });
});

describe('words', () => {
  it.each([
    ["Don't stop, she said.", ["don't", 'stop', 'she', 'said']],
    ['It’s 3.5 kilometres', ["it's", '3', '5', 'kilometres']],
    ["'quoted' rock'n'roll", ['quoted', "rock'n'roll"]],
    ['E\u0301cole, ÉCOLE', ['école', 'école']],
    ['...', []],
  ])('of %s', (text, expected) => {
    expect(wordsOf(text)).toEqual(expected);
  });
});
