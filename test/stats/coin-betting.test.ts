import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { clopperPearson } from '../../src/stats/bounds.ts';
import { CoinBetting, coinBettingLog10E, expectedCoinBans } from '../../src/stats/coin-betting.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { log10BinomialUpperTail } from '../../src/stats/tails/binomial.ts';

describe('coin betting', () => {
  it('has the expectation 1 over all sequences', () => {
    for (let trials = 0; trials <= 60; trials += 5) {
      let expectation = 0;
      let choose = 1;
      for (let hits = 0; hits <= trials; hits++) {
        expectation += choose * 2 ** -trials * 10 ** coinBettingLog10E(hits, trials);
        choose = (choose * (trials - hits)) / (hits + 1);
      }
      expect(expectation).toBeCloseTo(1, 12);
    }
  });

  it('is a martingale: the two next values average to the present one', () => {
    for (const [hits, trials] of [
      [0, 0],
      [5, 5],
      [30, 60],
      [200, 260],
    ] as const) {
      const next = [hits, hits + 1].map((count) => 10 ** coinBettingLog10E(count, trials + 1));
      expect((next[0]! + next[1]!) / 2 / 10 ** coinBettingLog10E(hits, trials)).toBeCloseTo(1, 12);
    }
  });

  it('folds coin by coin to the same value, and never overflows', () => {
    const betting = new CoinBetting();
    expect(betting.log10E).toBeCloseTo(0, 14);
    for (let index = 0; index < 5000; index++) betting.fold(index % 10 !== 0);
    expect([betting.hits, betting.trials]).toEqual([4500, 5000]);
    expect(betting.log10E).toBe(coinBettingLog10E(4500, 5000));
    expect(coinBettingLog10E(0, 1e6)).toBeLessThan(-1e3);
    expect(coinBettingLog10E(1e6, 1e6)).toBeCloseTo(1e6 * Math.log10(1.99) - Math.log10(12), 6);
  });

  it('refuses counts that are none', () => {
    for (const [hits, trials] of [
      [2, 1],
      [-1, 3],
      [0.5, 2],
      [0, Number.NaN],
    ] as const) {
      expect(() => coinBettingLog10E(hits, trials)).toThrow(TouchmarkError);
    }
  });

  it('loses at most 2.7 bans against the binomial tail over a wide range', () => {
    for (const [hits, trials] of [
      [98, 100],
      [58, 69],
      [2700, 5000],
      [120, 160],
      [600, 1000],
    ] as const) {
      const bans = -log10BinomialUpperTail(hits, trials, 0.5);
      expect(coinBettingLog10E(hits, trials)).toBeLessThan(bans);
      expect(coinBettingLog10E(hits, trials)).toBeGreaterThan(bans - 2.7);
    }
  });

  it('reaches 20 at any time with probability at most .05 under the null', () => {
    const random = seededRandom('fair coins');
    const runs = 2000;
    let reached = 0;
    for (let run = 0; run < runs; run++) {
      const betting = new CoinBetting();
      for (let trial = 0; trial < 400; trial++) {
        betting.fold(random.uniform() < 0.5);
        if (betting.log10E < Math.log10(20)) continue;
        reached++;
        break;
      }
    }
    expect(clopperPearson(reached, runs, 0.999).lower).toBeLessThanOrEqual(0.05);
    expect(reached).toBeGreaterThan(0);
  });

  it('expects the mean over all numbers of hits', () => {
    const twoCoins = [0, 1, 2].map((hits) => coinBettingLog10E(hits, 2));
    expect(expectedCoinBans(2, 0.9)).toBeCloseTo(
      0.01 * twoCoins[0]! + 0.18 * twoCoins[1]! + 0.81 * twoCoins[2]!,
      12,
    );
    expect(expectedCoinBans(20, 1)).toBe(coinBettingLog10E(20, 20));
    expect(expectedCoinBans(20, 0)).toBe(coinBettingLog10E(0, 20));
    expect(expectedCoinBans(0, 0.7)).toBeCloseTo(0, 12);
    expect(expectedCoinBans(2000, 0.6)).toBeCloseTo(coinBettingLog10E(1200, 2000), 0);
    expect(() => expectedCoinBans(5, 1.2)).toThrow(TouchmarkError);
  });
});
