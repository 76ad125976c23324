import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charges } from '../../src/audit/multiplicity.ts';
import { keyedScore, provenanceScore } from '../../src/audit/score.ts';
import { decide, tierOf } from '../../src/audit/verdict.ts';
import type { Evidence } from '../../src/contracts.ts';

function evidence(log10E: number, keyMaterial: readonly string[], more: Partial<Evidence> = {}) {
  return {
    test: keyMaterial.join(),
    null: 'keyed',
    status: 'done',
    log10E,
    probes: 1,
    skipped: {},
    effect: {},
    keyMaterial,
    assumptions: [],
    ...more,
  } satisfies Evidence;
}

describe('provenanceScore', () => {
  it('multiplies e-values of disjoint keys', () => {
    expect(provenanceScore([evidence(3, ['a']), evidence(-1, ['b'])])).toBeCloseTo(2, 12);
    expect(provenanceScore([])).toBe(0);
  });

  it('averages e-values that share a key, also through a third', () => {
    const mean = Math.log10((1000 + 10) / 2);
    expect(provenanceScore([evidence(3, ['a']), evidence(1, ['a'])])).toBeCloseTo(mean, 12);
    const chain = [evidence(3, ['a']), evidence(2, ['b']), evidence(1, ['a', 'b'])];
    expect(provenanceScore(chain)).toBeCloseTo(Math.log10((1000 + 100 + 10) / 3), 12);
    expect(provenanceScore([...chain].reverse())).toBeCloseTo(provenanceScore(chain), 12);
  });

  it('never counts what is descriptive', () => {
    const shown = evidence(50, ['a'], { null: 'descriptive' });
    expect(provenanceScore([shown, evidence(1, ['a'])])).toBeCloseTo(1, 12);
  });

  it('multiplies by half a stake on the mean of reference e-values, apart from the keyed score', () => {
    const ranked = (log10E: number, status: Evidence['status'] = 'done') =>
      evidence(log10E, [], { null: 'reference', status });
    const keyed = evidence(1, ['a']);
    const factor = (...references: Evidence[]) =>
      10 ** (provenanceScore([keyed, ...references]) - 1);
    expect(factor(ranked(Math.log10(30)))).toBeCloseTo(15.5, 10);
    expect(factor(ranked(Math.log10(30)), ranked(1))).toBeCloseTo(0.5 + 0.25 * 40, 10);
    expect(factor(ranked(-9))).toBeCloseTo(0.5, 8);
    expect(factor(ranked(9, 'partial'))).toBeCloseTo(0.5, 10);
    expect(factor(ranked(9, 'not-applicable'))).toBeCloseTo(1, 10);
    expect(keyedScore([keyed, ranked(9)])).toBeCloseTo(1, 12);
  });

  it('counts a test that did not apply as 1, within its group too', () => {
    const absent = evidence(9, ['a'], { status: 'not-applicable' });
    expect(provenanceScore([absent])).toBe(0);
    expect(provenanceScore([absent, evidence(3, ['a'])])).toBeCloseTo(Math.log10(1001 / 2), 12);
  });
});

describe('decide', () => {
  const power = (lower: number) => ({ lower, statement: 'rehearsed' });

  it.each([
    [6, true, undefined, 'match'],
    [6, false, power(0), 'match'],
    [5.99, true, power(0.95), 'no-match-found'],
    [5.99, true, power(0.94), 'inconclusive'],
    [5.99, false, power(1), 'inconclusive'],
    [-20, true, undefined, 'inconclusive'],
  ] as const)('says of %f bans, complete %s, power %o: %s', (score, complete, known, verdict) => {
    expect(decide(score, 6, complete, known)).toBe(verdict);
  });
});

describe('tierOf', () => {
  it('never escalates what seems to be a relay', () => {
    expect(tierOf(40, 40, undefined, true)).toBe('restrict');
    expect(tierOf(3, 0, undefined, true)).toBe('notify');
  });

  it.each([
    [1.99, 1.99, 'none'],
    [2, -1, 'notify'],
    [9, 3.9, 'notify'],
    [4, 4, 'restrict'],
    [7, 5.9, 'restrict'],
    [6, 6, 'escalate'],
  ] as const)('answers %f bans, %f of them keyed, with %s', (score, keyed, tier) => {
    expect(tierOf(score, keyed)).toBe(tier);
  });
});

describe('charges', () => {
  const weight = (tenants: number, suspects: number, audit: number) =>
    10 ** -charges({ tenants, suspects, audit }).reduce((sum, { bans }) => sum + bans, 0);

  it('pays weights that sum to at most one over everything that could have been looked at', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (t, s) => {
        let sum = 0;
        for (let audit = 1; audit <= 2000; audit += 1) sum += t * s * weight(t, s, audit);
        expect(sum).toBeLessThanOrEqual(1);
        expect(sum).toBeGreaterThan(0.999);
      }),
      { numRuns: 20 },
    );
  });

  it('lists what is paid, and nothing that costs nothing', () => {
    const byStock = charges({ tenants: 1, suspects: 1, audit: 1, coinsByStock: true });
    expect(byStock.reduce((sum, { bans }) => sum + bans, 0)).toBeCloseTo(
      Math.log10(2) + Math.log10(Math.PI ** 2 / 6),
      12,
    );
    expect(charges({ tenants: 10, suspects: 1, audit: 2 })).toEqual([
      { reason: 'one of 10 tenants is named', bans: 1 },
      { reason: 'audit 2 of this suspect', bans: expect.closeTo(Math.log10(6.5797362674), 9) },
    ]);
  });
});
