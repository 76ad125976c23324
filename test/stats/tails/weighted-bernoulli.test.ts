import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { log10BinomialUpperTail } from '../../../src/stats/tails/binomial.ts';
import {
  log10WeightedBernoulliTailBound,
  memberCumulant,
} from '../../../src/stats/tails/weighted-bernoulli.ts';
import { WeightedBernoulliBetting } from '../../../src/stats/weighted-bernoulli-betting.ts';

/** P(sum of w (g - share) >= total) by going through every outcome. */
function enumerated(weights: readonly number[], share: number, total: number): number {
  let probability = 0;
  for (let outcome = 0; outcome < 2 ** weights.length; outcome++) {
    let [sum, mass] = [0, 1];
    weights.forEach((weight, index) => {
      const member = (outcome >> index) & 1;
      sum += weight * (member - share);
      mass *= member === 1 ? share : 1 - share;
    });
    if (sum >= total - 1e-12) probability += mass;
  }
  return probability;
}

/** E[f(members)] over all lists of `size` members among `count`. */
function overLists(
  count: number,
  size: number,
  value: (members: readonly number[]) => number,
): number {
  let [sum, lists] = [0, 0];
  for (let list = 0; list < 2 ** count; list++) {
    const members = Array.from({ length: count }, (_, index) => (list >> index) & 1);
    if (members.reduce((most, member) => most + member, 0) !== size) continue;
    sum += value(members);
    lists++;
  }
  return sum / lists;
}

describe('the tail bound of weighted Bernoulli sums', () => {
  it('is never below the enumerated tail, and not far above it', () => {
    const random = seededRandom('weighted Bernoulli');
    for (let turn = 0; turn < 60; turn++) {
      const weights = Array.from({ length: 12 }, () => random.normal());
      const share = [0.25, 0.5, 0.1][turn % 3]!;
      const deviation = Math.sqrt(share * (1 - share) * weights.reduce((sum, w) => sum + w * w, 0));
      const total = (0.5 + 2 * random.uniform()) * deviation;
      const bound = log10WeightedBernoulliTailBound(weights, share, total, 'independent');
      const exact = Math.log10(enumerated(weights, share, total));
      expect(bound).toBeGreaterThanOrEqual(exact - 1e-12);
      if (Number.isFinite(exact)) expect(bound).toBeLessThan(exact + 1.2);
    }
  });

  it('follows the binomial tail in bans, far out, within the Chernoff factor', () => {
    for (const [hits, trials] of [
      [200, 400],
      [900, 2000],
    ] as const) {
      const exact = log10BinomialUpperTail(hits, trials, 0.25);
      const total = hits - 0.25 * trials;
      const bound = log10WeightedBernoulliTailBound(
        new Float64Array(trials).fill(1),
        0.25,
        total,
        'independent',
      );
      expect(bound).toBeGreaterThan(exact);
      expect(bound - exact).toBeLessThan(2);
    }
  });

  it('bounds lists of a fixed size, also where weights of both signs spread them wider', () => {
    const weights = [1, -1, 0.5, -0.3, 0, 0.2];
    for (const slope of [0.1, 0.5, 1, 3]) {
      for (const size of [1, 2, 3]) {
        const share = size / weights.length;
        const actual = overLists(weights.length, size, (members) =>
          Math.exp(
            slope * weights.reduce((sum, w, index) => sum + w * (members[index]! - share), 0),
          ),
        );
        const bound = weights.reduce(
          (sum, w) => sum + memberCumulant(slope * w, share, 'fixed-size'),
          0,
        );
        expect(bound).toBeGreaterThanOrEqual(Math.log(actual) - 1e-12);
      }
    }
    const pair = overLists(2, 1, ([a, b]) => Math.exp(a! - b!));
    expect(2 * Math.log((1 + Math.E) / 2) - 1).toBeLessThan(Math.log(pair));
  });

  it('answers at the edges, and refuses what is none', () => {
    const tail = (weights: number[], total: number, share = 0.5) =>
      log10WeightedBernoulliTailBound(weights, share, total, 'independent');
    expect(tail([], 0)).toBe(0);
    expect(tail([1, 2], -1)).toBe(0);
    expect(tail([0, 0], 1)).toBe(-Infinity);
    expect(tail([1], 0.5)).toBeGreaterThanOrEqual(Math.log10(0.5) - 1e-9);
    expect(tail([1], 0.6)).toBeLessThan(-20);
    expect(() => tail([Number.NaN], 1)).toThrow(TouchmarkError);
    expect(() => tail([1], Number.NaN)).toThrow(TouchmarkError);
    expect(() => tail([1], 1, 1)).toThrow(TouchmarkError);
  });
});

describe('betting on weighted Bernoulli sums', () => {
  it('has an expectation of at most 1 over all outcomes', () => {
    const weights = [0.9, -0.4, 0.3, 0.05, -0.7, 1];
    const share = 0.25;
    let independent = 0;
    for (let outcome = 0; outcome < 64; outcome++) {
      const members = weights.map((_, index) => (outcome >> index) & 1);
      const mass = members.reduce((all, each) => all * (each === 1 ? share : 1 - share), 1);
      independent += mass * wealth(weights, members, share, 'independent');
    }
    expect(independent).toBeCloseTo(1, 10);
    const fixed = overLists(6, 2, (members) => wealth(weights, members, 1 / 3, 'fixed-size'));
    expect(fixed).toBeLessThanOrEqual(1);
    expect(fixed).toBeGreaterThan(0.1);
  });

  it('grows when heavy tokens are green', () => {
    const betting = new WeightedBernoulliBetting(0.25, 'independent');
    for (let list = 0; list < 300; list++) betting.fold([0.2, -0.2], [list % 2, 0]);
    expect(betting.log10E).toBeGreaterThan(3);
  });

  function wealth(
    weights: readonly number[],
    members: readonly number[],
    share: number,
    draw: 'independent' | 'fixed-size',
  ): number {
    const betting = new WeightedBernoulliBetting(share, draw);
    betting.fold(weights, members);
    return 10 ** betting.log10E;
  }
});
