import { describe, expect, it } from 'vitest';
import { referenceRank } from '../../../src/stats/reference-ranks.ts';
import { type SeededRandom, seededRandom } from '../../../src/stats/sampling.ts';
import {
  type Agreement,
  chooseAlikeTraffic,
  type RatedCandidate,
  rateCandidates,
} from '../../../src/traps/kinds/region-selection.ts';

const candidates = 400;
const planted = new Set(Array.from({ length: 20 }, (_, index) => index * 17));

/** Models that agree at one rate on planted candidates, and at another on the rest. */
function models(
  random: SeededRandom,
  count: number,
  onPlanted: number,
  onOthers: number,
): Agreement {
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: candidates }, (_, candidate) =>
      Number(random.uniform() < (planted.has(candidate) ? onPlanted : onOthers)),
    ),
  );
}

describe('rateCandidates', () => {
  it('finds planted traps among candidates on which everybody agrees alike', () => {
    const random = seededRandom('planted');
    const rated = rateCandidates({
      surrogates: [models(random, 4, 0.9, 0.8), models(random, 4, 0.9, 0.8)],
      references: [models(random, 20, 0.1, 0.8), models(random, 20, 0.1, 0.8)],
    });
    const best = rated.slice(0, planted.size).map(({ candidate }) => candidate);
    expect(new Set(best)).toEqual(planted);
  });

  it('leaves out what one kind of reference agrees on as often as surrogates do', () => {
    const all = [Uint8Array.of(1), Uint8Array.of(1), Uint8Array.of(1)];
    const none = [Uint8Array.of(0), Uint8Array.of(0), Uint8Array.of(0)];
    expect(rateCandidates({ surrogates: [all], references: [none, all] })).toEqual([]);
    expect(rateCandidates({ surrogates: [all], references: [none, none] })).toHaveLength(1);
  });

  it('computes the divergence and the weight of the smoothed rates', () => {
    const share = (agreeing: number, of: number) =>
      Array.from({ length: of }, (_, index) => Uint8Array.of(Number(index < agreeing)));
    const [rated] = rateCandidates({
      surrogates: [share(3, 4), share(1, 1)],
      references: [share(1, 9), share(2, 9)],
    });
    const p = (3.5 / 5 + 1.5 / 2) / 2;
    const q = 2.5 / 10;
    expect(rated!.surrogateRate).toBeCloseTo(p, 12);
    expect(rated!.referenceRate).toBeCloseTo(q, 12);
    expect(rated!.divergence).toBeCloseTo((p - q) ** 2 / (q * (1 - q)), 12);
    expect(rated!.weight).toBeCloseTo(Math.log((p * (1 - q)) / ((1 - p) * q)), 3);
  });
});

describe('chooseAlikeTraffic', () => {
  const rated = Array.from({ length: 100 }, (_, candidate): RatedCandidate => {
    const divergence = 100 - candidate;
    return { candidate, surrogateRate: 0.9, referenceRate: 0.1, divergence, weight: 1 };
  });
  const traffic = Array.from({ length: 50 }, (_, index) => index / 50);

  it('takes the best of every bin of traffic, and no more from one than its part', () => {
    const propensity = rated.map(({ candidate }) =>
      candidate < 60 ? 0.99 : (candidate - 60) / 40,
    );
    const chosen = chooseAlikeTraffic(rated, propensity, traffic, { count: 20, bins: 5 });
    expect(chosen).toHaveLength(20);
    expect(
      chosen.filter(({ candidate }) => candidate < 60).map(({ candidate }) => candidate),
    ).toEqual([0, 1, 2, 3]);
  });

  it('leaves the part of a bin unchosen that has no candidates', () => {
    const propensity = rated.map(() => 0.99);
    const chosen = chooseAlikeTraffic(rated, propensity, traffic, { count: 20, bins: 5 });
    expect(chosen).toHaveLength(4);
  });
});

describe('lots of chosen traps', () => {
  it('accuse exchangeable models of either kind at most at the nominal rate, and have mean e of 1 at most', () => {
    const random = seededRandom('exchangeable');
    const draws = 400;
    const outcome = { same: { sum: 0, small: 0 }, other: { sum: 0, small: 0 } };
    for (let draw = 0; draw < draws; draw += 1) {
      const kinds = { same: models(random, 41, 0.5, 0.6), other: models(random, 41, 0.2, 0.5) };
      const rated = rateCandidates({
        surrogates: [models(random, 8, 0.9, 0.7)],
        references: [kinds.same.slice(0, 20), kinds.other.slice(0, 20)],
      }).slice(0, 20);
      const statistic = (agrees: Uint8Array) =>
        rated.reduce((sum, { candidate, weight }) => sum + agrees[candidate]! * weight, 0);
      const statistics = {
        same: kinds.same.slice(20, 40).map(statistic),
        other: kinds.other.slice(20, 40).map(statistic),
      };
      for (const kind of ['same', 'other'] as const) {
        const suspect = statistic(kinds[kind][40]!);
        const ranks = [
          referenceRank(suspect, statistics.same),
          referenceRank(suspect, statistics.other),
        ];
        outcome[kind].sum += Math.min(...ranks.map(({ e }) => e));
        if (Math.max(...ranks.map(({ p }) => p)) <= 0.05) outcome[kind].small += 1;
      }
    }
    for (const { sum, small } of Object.values(outcome)) {
      expect(sum / draws).toBeLessThan(1.3);
      expect(small / draws).toBeLessThan(0.05 + 2.6 * Math.sqrt((0.05 * 0.95) / draws));
    }
    expect(outcome.same.small).toBeGreaterThan(0);
  });
});
