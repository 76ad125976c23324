import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainKneserNey } from '../../../src/models/language/kneser-ney.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { naiveKneserNey } from './naive-kneser-ney.ts';

const text = (...tokens: number[]) => Int32Array.of(...tokens);

/** Zipf-like tokens, so that many contexts return. */
function randomText(seed: string, length: number, vocabularySize: number): Int32Array {
  const random = seededRandom(seed);
  return Int32Array.from({ length }, () => Math.floor(vocabularySize * random.uniform() ** 3));
}

describe('trainKneserNey', () => {
  /**
   * By hand, of "0 1 0 1 2": pairs ^0 once, 01 twice, 10 and 12 once, so D = 3/5; continuations of
   * 0, 1, 2 are 2, 1, 1, so D = 1/2 and p = 1/2, 1/4, 1/4.
   */
  const small = trainKneserNey([text(0, 1, 0, 1, 2)], { order: 2, vocabularySize: 3 });

  it.each([
    ['after 0', [0], [0.15, 0.775, 0.075]],
    ['after 1', [1], [0.5, 0.15, 0.35]],
    ['after a token that nothing followed', [2], [0.5, 0.25, 0.25]],
    ['at the beginning of a text', [], [0.7, 0.15, 0.15]],
    ['whatever came before the last token', [2, 2, 0], [0.15, 0.775, 0.075]],
  ])('gives the probabilities computed by hand %s', (_, context, expected) => {
    const distribution = small.nextDistribution(text(...context));
    expected.forEach((probability, token) => {
      expect(distribution[token]).toBeCloseTo(probability, 6);
    });
  });

  it.each([1, 2, 3, 4, 5])('agrees with the definition over maps at order %i', (order) => {
    const vocabularySize = 25;
    const texts = ['a', 'b', 'c'].map((seed, index) => randomText(seed, 150 * index, 20));
    const model = trainKneserNey(texts, { order, vocabularySize });
    const naive = naiveKneserNey(
      texts.map((each) => [...each]),
      order,
      vocabularySize,
    );
    const random = seededRandom('contexts');
    for (let trial = 0; trial < 40; trial++) {
      const source = texts[2]!.slice(random.integer(250)).slice(0, random.integer(7));
      const context = trial % 4 === 0 ? text(...source, 24) : source;
      const distribution = model.nextDistribution(context);
      for (let token = 0; token < vocabularySize; token++) {
        expect(distribution[token]).toBeCloseTo(naive(token, [...context]), 6);
      }
    }
  });

  it('sums to one and leaves no token out, wherever it is asked', () => {
    const model = trainKneserNey([randomText('sum', 5000, 300)], { vocabularySize: 1000 });
    for (let length = 0; length < 30; length++) {
      const distribution = model.nextDistribution(randomText(`context/${length}`, length, 1000));
      expect(distribution.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
      expect(Math.min(...distribution)).toBeGreaterThan(0);
    }
  });

  it('is uniform without any text', () => {
    for (const texts of [[], [text()]]) {
      const distribution = trainKneserNey(texts, { vocabularySize: 4 }).nextDistribution(text(1));
      expect([...distribution]).toEqual([0.25, 0.25, 0.25, 0.25]);
    }
  });

  it('does not let one text lead into the next', () => {
    const options = { order: 2, vocabularySize: 4 };
    const apart = trainKneserNey([text(0, 1, 0, 1), text(2, 3, 2, 3)], options);
    const joined = trainKneserNey([text(0, 1, 0, 1, 2, 3, 2, 3)], options);
    expect(joined.nextDistribution(text(1))[2]).toBeGreaterThan(
      apart.nextDistribution(text(1))[2]!,
    );
  });

  it('takes ids outside the vocabulary in a context for tokens that never occurred', () => {
    for (const stranger of [-1, -7, 3, 1e6]) {
      expect(small.nextDistribution(text(0, stranger))).toEqual(small.nextDistribution(text(2)));
    }
  });

  it('writes where it is told and gives the same every time', () => {
    const into = new Float32Array(3).fill(9);
    expect(small.nextDistribution(text(0), into)).toBe(into);
    expect(small.nextDistribution(text(0))).toEqual(into);
  });

  it('refuses token ids outside the vocabulary, naming the place', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: -(2 ** 31), max: -1 }),
          fc.integer({ min: 9, max: 2 ** 31 - 1 }),
        ),
        fc.nat({ max: 20 }),
        (token, at) => {
          const bad = new Int32Array(21);
          bad[at] = token;
          expect(() => trainKneserNey([text(1), bad], { vocabularySize: 9 })).toThrow(
            expect.objectContaining({
              code: 'INPUT_INVALID',
              message: expect.stringContaining(
                `text 1 has the token id ${token} at position ${at}`,
              ),
            }),
          );
        },
      ),
    );
  });

  it.each([
    { order: 0, vocabularySize: 9 },
    { order: 2.5, vocabularySize: 9 },
    { order: 9, vocabularySize: 9 },
    { vocabularySize: 0 },
    { vocabularySize: Number.NaN },
  ])('refuses %o', (options) => {
    expect(() => trainKneserNey([], options)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
