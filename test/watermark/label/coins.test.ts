import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoinTree } from '../../../src/keys/coin-tree.ts';
import {
  applyCoin,
  margin,
  marginThreshold,
  tossCoin,
} from '../../../src/watermark/label/coins.ts';
import { keyOf } from '../fixtures.ts';

const coinsOf = (name: string) => new CoinTree(keyOf(name));

const close = [0.1, 0.42, 0.38, 0.1];

describe('tossCoin', () => {
  it('is fair over keys and over inputs', () => {
    let seconds = 0;
    for (let key = 0; key < 100; key += 1) {
      for (let input = 0; input < 100; input += 1) {
        seconds += tossCoin(coinsOf(`${key}`), `question ${input}`, close, 0.1)!.outcome;
      }
    }
    expect(Math.abs(seconds - 5000) / 50).toBeLessThan(4);
  });

  it('names the two best classes, top-1 first', () => {
    expect(tossCoin(coinsOf('a'), 'x', close, 0.1)).toMatchObject({ top: 1, second: 2 });
  });

  it('falls strictly under the threshold only', () => {
    expect(tossCoin(coinsOf('a'), 'x', [0.75, 0.25], 0.5)).toBeUndefined();
    expect(tossCoin(coinsOf('a'), 'x', [0.75, 0.25], 0.51)).toBeDefined();
    expect(tossCoin(coinsOf('a'), 'x', [0.5, 0.5], 0)).toBeUndefined();
  });

  it('is the same for the same canonical input: NFC and NFD, 0 and -0', () => {
    for (let key = 0; key < 20; key += 1) {
      const toss = (input: Parameters<typeof tossCoin>[1]) =>
        tossCoin(coinsOf(`${key}`), input, close, 1)!.outcome;
      expect(toss('déjà'.normalize('NFD'))).toBe(toss('déjà'));
      expect(toss({ shape: [2], data: Float32Array.of(-0, 1) })).toBe(
        toss({ shape: [2], data: Float32Array.of(0, 1) }),
      );
    }
  });
});

describe('applyCoin', () => {
  it('exchanges two probabilities or nothing, and never writes into its argument', () => {
    const clean = Float64Array.from(close);
    const coin = { top: 1, second: 2 } as const;
    expect([...applyCoin(clean, { ...coin, outcome: 1 })]).toEqual([0.1, 0.38, 0.42, 0.1]);
    expect(applyCoin(clean, { ...coin, outcome: 0 })).toBe(clean);
    expect(applyCoin(clean, undefined)).toBe(clean);
    expect([...clean]).toEqual(close);
  });
});

describe('marginThreshold', () => {
  it('puts the chosen share of the margins under it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (margins, share) => {
          const tau = marginThreshold(margins, share);
          const under = margins.filter((value) => value < tau).length;
          expect(under).toBe(Math.floor(share * margins.length));
        },
      ),
    );
  });

  it('lets no coin fall without margins', () => {
    expect(marginThreshold([], 0.5)).toBe(0);
  });

  it('is a quantile of the differences between the two best classes', () => {
    expect(margin([0.2, 0.5, 0.3])).toBeCloseTo(0.2, 15);
  });
});
