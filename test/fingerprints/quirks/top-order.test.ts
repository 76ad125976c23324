import { describe, expect, it } from 'vitest';
import { rankBiasedOverlap, topOrder } from '../../../src/fingerprints/quirks/top-order.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { answersOf, probes } from './language-answers.ts';

const overlapOf = (one: number[], two: number[]) =>
  rankBiasedOverlap(Float64Array.from(one), Float64Array.from(two));

describe('rank-biased overlap', () => {
  it('is the mean agreement over depths with weights that fall by .9, the last for all further', () => {
    // Agreements at depths 1, 2 and 3 are 0, 1 and 2/3; weights .1, .09 and .81.
    expect(overlapOf([1, 2, 3], [2, 1, 4])).toBeCloseTo(0.09 + 0.81 * (2 / 3), 12);
    expect(overlapOf([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(overlapOf([1, 2, 3], [4, 5, 6])).toBe(0);
  });

  it('goes as deep as both lists, and is 0 when one is empty', () => {
    expect(overlapOf([1, 2, 3], [1])).toBe(1);
    expect(overlapOf([1, 2], [])).toBe(0);
  });

  it('weighs the first ranks most', () => {
    const list = [1, 2, 3, 4, 5, 6];
    const firstTwo = overlapOf(list, [2, 1, 3, 4, 5, 6]);
    expect(firstTwo).toBeLessThan(overlapOf(list, [1, 2, 3, 4, 6, 5]));
  });
});

const { compare } = topOrder;
const contexts = 300;
const many = { ...probes, contexts: Array.from({ length: contexts }, () => [1]), top: 10 };
const read = (lists: (number[] | null)[]) =>
  topOrder.extract(
    answersOf(() => null, lists),
    many,
  )!;

/** Ten of 40 tokens for each context, the frequent ones in most of them, as in any language. */
function lists(seed: string): number[][] {
  const random = seededRandom(seed);
  return Array.from({ length: contexts }, () => {
    const scores = Array.from({ length: 40 }, (_, token) => ({
      token,
      score: random.normal() - token / 10,
    }));
    return scores
      .sort((a, b) => b.score - a.score)
      .slice(0, 10)
      .map(({ token }) => token);
  });
}

describe('the order of the likeliest tokens', () => {
  it('is about 0 for models that share no more than how frequent tokens are', () => {
    const [one, two] = [lists('one'), lists('two')];
    const overlap = one.reduce((sum, list, at) => sum + overlapOf(list, two[at]!), 0);
    expect(overlap / contexts).toBeGreaterThan(0.3);
    expect(Math.abs(compare(read(one), read(two)))).toBeLessThan(0.05);
  });

  it('falls as more contexts are answered otherwise', () => {
    const ours = lists('ours');
    const others = lists('others');
    const sharing = (share: number) =>
      compare(read(ours), read(ours.map((list, at) => (at % 4 < 4 * share ? list : others[at]!))));
    expect(sharing(0.75)).toBeCloseTo(0.75, 1);
    expect(sharing(0.25)).toBeCloseTo(0.25, 1);
  });

  it('leaves out contexts that one of two models did not answer', () => {
    const ours = lists('ours');
    const half = ours.map((list, at) => (at % 2 === 0 ? list : null));
    expect(compare(read(ours), read(half))).toBe(1);
    const never = ours.map((list, at) => (at % 2 === 0 ? null : list));
    expect(compare(read(half), read(never))).toBe(0);
  });

  it('cannot be read without token probabilities', () => {
    expect(
      topOrder.extract(
        answersOf(() => 'text'),
        probes,
      ),
    ).toBeUndefined();
  });

  it('compares 10,000 contexts in a second', () => {
    const long = { ...many, contexts: Array.from({ length: 10_000 }, () => [1]) };
    const base = lists('long');
    const numbers = topOrder.extract(
      answersOf(
        () => null,
        long.contexts.map((_, at) => base[at % contexts]!),
      ),
      long,
    )!;
    const started = performance.now();
    expect(compare(numbers, numbers)).toBe(1);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
