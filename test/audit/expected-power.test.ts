import { describe, expect, it } from 'vitest';
import { expectedBans, powerFor } from '../../src/audit/expected-power.ts';
import { replayAssumption } from '../../src/audit/material.ts';
import type { AuditPlan } from '../../src/audit/plan.ts';
import { rehearsalId } from '../../src/audit/rehearsal.ts';
import { type PlannedAudit, plannedAudit } from '../../src/audit/rehearsal-applicability.ts';
import { decide } from '../../src/audit/verdict.ts';
import { rehearsalOf, students } from './rehearsal-data.ts';

const { profile, protectedModel, tests, toolkit } = rehearsalOf({ 1000: [1] });
const planned: PlannedAudit = {
  ...{ profile, protectedModel, tests, toolkit, assumptions: [], shape: 'labels' },
  sealedAt: '2026-04-01T00:00:00.000Z',
  threshold: 6,
  multiplicity: [{ reason: 'audit 1 of this suspect', bans: 0.5 }],
  probes: { fresh: 100, logged: 3000, coins: 60 },
  answers: 3000,
};
const seed = (digit: string) => ({ seed: digit.repeat(64) });

describe('powerFor', () => {
  it('takes 59 of 59 students to state a power of .95', () => {
    const enough = powerFor([rehearsalOf({ 1000: students(59, 0) })], planned)!;
    expect(enough.lower).toBeCloseTo(0.05 ** (1 / 59), 10);
    expect(decide(1, 6, true, enough)).toBe('no-match-found');
    const few = powerFor([rehearsalOf({ 1000: students(58, 0) })], planned)!;
    expect(decide(1, 6, true, few)).toBe('inconclusive');
    const missed = powerFor([rehearsalOf({ 1000: students(59, 1) })], planned)!;
    expect(decide(1, 6, true, missed)).toBe('inconclusive');
  });

  it('says which students, answers and shape it speaks of, and what was not rehearsed', () => {
    const { statement } = powerFor([rehearsalOf({ 1000: students(60, 0) })], planned)!;
    for (const part of ['60 of 60', '1000 served answers', 'labels', 'network-0, network-64']) {
      expect(statement).toContain(part);
    }
    expect(statement).toMatch(/Not covered: .*attacks/);
  });

  it.each([
    ['not over before the plan', { at: '2026-04-01T00:00:00.000Z' }],
    ['of another profile', { profile: `sha256:${'b'.repeat(64)}` }],
    ['of another version of the model', { protectedModel: { name: 'm', version: '2' } }],
    ['of another answer shape', { shape: 'probabilities' as const }],
    ['with other tests', { tests: ['label-coins'] }],
    ['by another toolkit', { toolkit: '0.2.0' }],
    ['with more fresh probes', { probes: { fresh: 101, logged: 5000, coins: 'all' as const } }],
    ['that was a first look', { quick: true }],
  ])('does not hold by a rehearsal %s', (_, overrides) => {
    const scores = { 1000: students(60, 0) };
    expect(powerFor([rehearsalOf(scores)], planned)).toBeDefined();
    expect(powerFor([rehearsalOf(scores, overrides)], planned)).toBeUndefined();
  });

  it('needs the vouching rehearsed where the plan has it', () => {
    const vouched = { ...planned, assumptions: [replayAssumption] };
    const scores = { 1000: students(60, 0) };
    expect(powerFor([rehearsalOf(scores)], vouched)).toBeUndefined();
    const stricter = rehearsalOf(scores, { assumptions: [replayAssumption] });
    expect(powerFor([stricter], vouched)?.lower).toBeGreaterThan(0.95);
    expect(powerFor([stricter], planned)?.lower).toBeGreaterThan(0.95);
  });

  it('holds scores against the threshold and charges of the plan, not of the rehearsal', () => {
    const rehearsals = [rehearsalOf({ 1000: students(60, 0, 6.6) })];
    expect(powerFor(rehearsals, planned)?.lower).toBeGreaterThan(0.95);
    const third = { ...planned, multiplicity: [{ reason: 'audit 3', bans: 1.2 }] };
    expect(powerFor(rehearsals, third)?.lower).toBe(0);
    expect(powerFor(rehearsals, { ...planned, threshold: 6.2 })?.lower).toBe(0);
  });

  it('counts only budgets that the tenant, its log and the coins shown reach', () => {
    const rehearsals = [rehearsalOf({ 1000: students(0, 60), 3000: students(60, 0) })];
    expect(powerFor(rehearsals, planned)?.lower).toBeGreaterThan(0.95);
    expect(powerFor(rehearsals, { ...planned, answers: 2999 })?.lower).toBe(0);
    const fewCoins = { ...planned, probes: { ...planned.probes, coins: 59 } };
    expect(powerFor(rehearsals, fewCoins)?.lower).toBe(0);
    const fewLogged = { ...planned, probes: { ...planned.probes, logged: 2999 } };
    expect(powerFor(rehearsals, fewLogged)?.lower).toBe(0);
    expect(powerFor(rehearsals, { ...planned, answers: 999 })).toBeUndefined();
  });

  it('lets no rehearsal outvote one that failed by being newer, easier or a little larger', () => {
    const failed = rehearsalOf({ 2000: students(30, 30) });
    const good = students(200, 0);
    for (const second of [
      rehearsalOf({ 2000: students(60, 0) }, { ...seed('1'), at: '2026-03-02T00:00:00.000Z' }),
      rehearsalOf({ 2100: students(60, 0) }, seed('1')),
      rehearsalOf({ 3000: good }, { ...seed('1'), families: ['network-64'] }),
    ]) {
      for (const order of [
        [failed, second],
        [second, failed],
      ]) {
        expect(powerFor(order, planned)!.lower).toBeLessThan(0.95);
      }
    }
  });

  it('pools more of the same students, once each, and leaves out much smaller budgets', () => {
    const half = rehearsalOf({ 3000: students(30, 0) });
    const other = rehearsalOf({ 3000: students(30, 0) }, seed('1'));
    expect(powerFor([half, other], planned)!.lower).toBeCloseTo(0.05 ** (1 / 60), 10);
    expect(powerFor([half, half], planned)!.lower).toBeCloseTo(0.05 ** (1 / 30), 10);
    const small = rehearsalOf({ 300: students(0, 60) }, seed('2'));
    expect(powerFor([half, other, small], planned)!.lower).toBeGreaterThan(0.95);
  });
});

it('reads shape, probes and time off a sealed plan', () => {
  const { shape: _, answers, probes, ...common } = planned;
  const plan: AuditPlan = {
    ...common,
    ...{ schema: 'touchmark/audit-plan@3', suspect: 'http:http://s/', gives: ['labels'] },
    ...{ reading: profile, tenant: 't', epoch: 'e1', epochCommitment: profile, labels: ['a', 'b'] },
    ...{ log: { entries: 9, head: 'h' }, material: profile, beacon: null },
    probes: { logged: probes.logged, fresh: probes.fresh },
  };
  expect(plannedAudit(plan, { coins: probes.coins, answers })).toMatchObject(planned);
  const soft = { ...plan, gives: ['labels', 'probabilities'] } as AuditPlan;
  expect(plannedAudit(soft, { coins: 1, answers: 2 })).toMatchObject({
    ...{ shape: 'probabilities', answers: 2 },
    probes: { ...probes, coins: 1 },
  });
});

describe('the curve beside a power', () => {
  it('has every budget of the rehearsals that apply, and says which ones the bound is of', () => {
    const one = rehearsalOf({ 3000: students(60, 0), 300: students(0, 60) });
    const two = rehearsalOf({ 300: students(20, 0) }, seed('1'));
    const quick = rehearsalOf({ 1000: students(4, 0) }, { ...seed('2'), quick: true });
    const { rehearsals, curve } = powerFor([one, two, quick], planned)!;
    expect(rehearsals).toEqual([rehearsalId(one)]);
    expect(curve.map(({ answers, share }) => [answers, share])).toEqual([
      [300, 0.25],
      [3000, 1],
    ]);
    expect(curve[0]!.meanBans).toBeCloseTo(9 / 4 - 0.5, 10);
    for (const { lower, share, upper } of curve) {
      expect(lower).toBeLessThanOrEqual(share);
      expect(upper).toBeGreaterThanOrEqual(share);
    }
  });
});

describe('expectedBans', () => {
  const curve = [rehearsalOf({ 300: students(0, 10), 3000: students(10, 0) })];

  it('is linear in the logarithm of answers between budgets', () => {
    const middle = expectedBans(curve, { ...planned, answers: Math.sqrt(300 * 3000) })!;
    expect(middle.share).toBeCloseTo(0.5, 10);
    expect(middle.bans).toBeCloseTo(4, 10);
    expect(middle.lower).toBeCloseTo(0.05 ** (1 / 10) / 2, 10);
  });

  it('is that of the largest budget beyond it, and nothing below the smallest', () => {
    const most = expectedBans(curve, { ...planned, answers: 50_000 })!;
    expect(most).toMatchObject({ answers: 50_000, share: 1, bans: 8.5, upper: 1 });
    expect(most.statement).toBe(
      'against a surrogate of 50000 answers: power 1.00 [0.741, 1.000], median 8.5 bans after charges',
    );
    expect(expectedBans(curve, { ...planned, answers: 299 })).toBeUndefined();
    expect(expectedBans([], planned)).toBeUndefined();
  });
});
