import { describe, expect, it } from 'vitest';
import { tensorTask, textTask } from '../../../scripts/calibrate/task.ts';
import { plain, repetitive } from '../../../scripts/calibrate/tenants.ts';
import { type Audit, runTest, simulateAudit } from '../../../scripts/calibrate/trial.ts';
import { firstOccurrences } from '../../../src/audit/material.ts';
import { labelCoins } from '../../../src/audit/tests/label-coins.ts';
import { probabilityPerQuery } from '../../../src/audit/tests/probability-per-query.ts';
import { probabilitySigns } from '../../../src/audit/tests/probability-signs.ts';
import { inputDigest } from '../../../src/keys/canonical-input.ts';
import { coinBettingLog10E } from '../../../src/stats/coin-betting.ts';

const simulate = (fresh: number, questions = 60) =>
  simulateAudit(
    { task: tensorTask, tenant: plain, suspect: 'independent', questions, fresh, replayed: 0 },
    'keyed tests',
    0,
  );

describe('firstOccurrences', () => {
  it('keeps the first record of each canonical question, in served order', () => {
    const options = { suspect: 'independent', questions: 80, fresh: 0, replayed: 0 } as const;
    for (const task of [textTask, tensorTask]) {
      const { records } = simulateAudit({ ...options, task, tenant: repetitive }, 'repeats', 0);
      const kept = firstOccurrences(records);
      const digest = ({ input }: (typeof records)[number]) => inputDigest(input).toString('hex');
      expect(kept.length).toBeLessThan(records.length);
      expect(new Set(kept.map(digest)).size).toBe(kept.length);
      expect(new Set(records.map(digest)).size).toBe(kept.length);
      for (const record of kept) {
        expect(records.findIndex((each) => digest(each) === digest(record))).toBe(record.sequence);
      }
    }
  });
});

describe('label-coins', () => {
  const audit = simulate(0);
  const coins = audit.material.logged.filter(({ record }) => record.marks.coin !== undefined);
  const labelOf = (
    input: unknown,
    pick: (coin: { top: number; second: number; outcome: 0 | 1 }) => number,
  ) =>
    audit.material.profile.labels[
      pick(coins.find(({ record }) => record.input === input)!.record.marks.coin!)
    ]!;
  const evidenceOf = (suspect: Audit['suspect'], material = audit.material) =>
    runTest(labelCoins, { material, suspect }, 'batch').final;

  it('counts a suspect that repeats every coin, and one that repeats none', () => {
    const repeats = evidenceOf((input) => ({
      answer: { label: labelOf(input, (coin) => (coin.outcome === 1 ? coin.second : coin.top)) },
    }));
    expect(repeats.effect).toMatchObject({ coins: coins.length, hits: coins.length });
    expect(repeats.log10E).toBeCloseTo(coinBettingLog10E(coins.length, coins.length), 12);
    const avoids = evidenceOf((input) => ({
      answer: { label: labelOf(input, (coin) => (coin.outcome === 1 ? coin.top : coin.second)) },
    }));
    expect(avoids.effect).toMatchObject({ hits: 0 });
    expect(avoids.log10E).toBeLessThan(0);
    expect(avoids.log10P).toBe(0);
  });

  it('skips refusals and answers outside the pair, by reason', () => {
    expect(evidenceOf(() => ({ missing: 'refused' }))).toMatchObject({
      log10E: 0,
      skipped: { refused: coins.length },
      status: 'done',
    });
    expect(evidenceOf(() => ({ answer: { label: 'elsewhere' } })).skipped).toEqual({
      'outside the pair': coins.length,
    });
  });

  it('reads the coins of the key, whatever the log says fell', () => {
    const forged = audit.material.coins.map((question) => {
      const { coin } = question.record.marks;
      if (coin === undefined) return question;
      const outcome: 0 | 1 = coin.outcome === 1 ? 0 : 1;
      const marks = { probability: true, coin: { ...coin, outcome } };
      return { ...question, record: { ...question.record, marks } };
    });
    const evidence = evidenceOf(audit.suspect, { ...audit.material, coins: forged });
    expect(evidence).toEqual(evidenceOf(audit.suspect));
  });
});

describe('probability-signs', () => {
  it.each([1, 2, 3, 4, 5, 9])('comes to its end with %i probes', (fresh) => {
    const { final } = runTest(probabilitySigns, simulate(fresh, 1), 'batch');
    expect(final).toMatchObject({ status: 'done', probes: fresh });
    expect(final.log10P).toBeLessThanOrEqual(0);
  });

  it('does not apply without probes', () => {
    const { final } = runTest(probabilitySigns, simulate(0, 1), 'batch');
    expect(final).toMatchObject({ status: 'not-applicable', log10E: 0 });
  });

  it('says nothing of a suspect that always refuses', () => {
    const { material } = simulate(8, 1);
    const suspect = () => ({ missing: 'refused' as const });
    const { final } = runTest(probabilitySigns, { material, suspect }, 'batch');
    expect(final.log10E).toBeCloseTo(0, 12);
    expect(final).toMatchObject({ log10P: 0, skipped: { refused: 8 } });
  });
});

describe('probability-per-query', () => {
  it('gives the same evidence folded by the batch and probe by probe', () => {
    const audit = simulate(20);
    const batch = runTest(probabilityPerQuery, audit, 'batch').final;
    expect(runTest(probabilityPerQuery, audit, 'probe').final).toEqual(batch);
    expect(batch).toMatchObject({ status: 'done', probes: 80, effect: { signs: 60 } });
  });

  it('bets nothing while it has no alignment', () => {
    const { final } = runTest(probabilityPerQuery, simulate(0), 'batch');
    expect(final.log10E).toBe(0);
    expect(final.skipped).toEqual({ 'spent on the first alignment': 60 });
  });

  it('skips answers without mass on our labels', () => {
    const { material } = simulate(10);
    const nothing = material.profile.labels.map(() => 0);
    const suspect = () => ({ answer: { label: 'elsewhere', probabilities: nothing } });
    const { final } = runTest(probabilityPerQuery, { material, suspect }, 'batch');
    expect(final.skipped).toEqual({ 'no probabilities': 60 });
  });
});
