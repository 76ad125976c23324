import { describe, expect, it } from 'vitest';
import { tensorTask } from '../../../scripts/calibrate/task.ts';
import { plain } from '../../../scripts/calibrate/tenants.ts';
import { runTest, simulateAudit } from '../../../scripts/calibrate/trial.ts';
import {
  changeIntervals,
  powerChange,
} from '../../../scripts/fingerprint-power/audit-power-change.ts';
import { keyedReader } from '../../../scripts/fingerprint-power/audit-power-reading.ts';
import {
  type MeasuredMember,
  type Subject,
  subjectsOf,
} from '../../../scripts/fingerprint-power/audit-power-subjects.ts';
import { auditPowerTables } from '../../../scripts/fingerprint-power/audit-power-tables.ts';
import { resultFile, type Sources } from '../../../scripts/fingerprint-power/remember.ts';
import { members } from '../../../scripts/zoo/manifest.ts';
import { firstOccurrences } from '../../../src/audit/material.ts';
import { labelCoins } from '../../../src/audit/tests/label-coins.ts';
import { probabilityPerQuery } from '../../../src/audit/tests/probability-per-query.ts';
import type { Answer } from '../../../src/contracts.ts';

describe('reading one log under many keys', () => {
  const scenario = {
    ...{ task: tensorTask, tenant: plain, questions: 620, fresh: 0, replayed: 0 },
    suspect: 'independent' as const,
  };
  const sizes = [100, 300, 600];

  it.each([0, 2, 4, 6])('says what the tests say of innocent %i', (turn) => {
    const { material, epochKey, suspect, records } = simulateAudit(scenario, 'reader', turn);
    const asked = firstOccurrences(records);
    const answers = asked.map(({ input }) => (suspect(input) as { answer: Answer }).answer);
    const read = keyedReader({ profile: tensorTask.profile, records: asked, answers }, sizes);
    const known = new Map(asked.map(({ input }, place) => [input, { answer: answers[place]! }]));
    const bans = read(epochKey);
    for (const [place, size] of sizes.entries()) {
      const logged = material.logged
        .slice(0, size)
        .map((question) => ({ ...question, baselines: [question.baselines.at(-1)!] }));
      const audit = {
        material: { ...material, fresh: [], logged, coins: logged },
        suspect: (input: Parameters<typeof suspect>[0]) => known.get(input)!,
      };
      const coins = runTest(labelCoins, audit, 'batch').final;
      const perQuery = runTest(probabilityPerQuery, audit, 'batch').final;
      expect(bans.coins[place]).toBeCloseTo(coins.log10E, 10);
      expect(bans.perQuery?.[place]).toBeCloseTo(perQuery.log10E, 10);
    }
    expect(bans.perQuery?.at(-1)).not.toBe(0);
    expect(read(epochKey)).toEqual(bans);
  });

  it('reads coins alone of a suspect that gives labels only', () => {
    const { epochKey, records } = simulateAudit(scenario, 'labels', 0);
    const answers = records.map(({ label }) => ({ label: tensorTask.profile.labels[label]! }));
    const bans = keyedReader({ profile: tensorTask.profile, records, answers }, sizes)(epochKey);
    expect(bans.perQuery).toBeUndefined();
    expect(bans.coins.at(-1)).toBeGreaterThan(6);
  });
});

describe('power at 1% realised false accusations', () => {
  const [plan] = members;
  const model = (truth: Subject['truth'], id: string, fingerprint: number, keyed: number[]) => ({
    ...{ id, truth, kind: 'linear', familiar: true, soft: false, fingerprint },
    keyed: keyed.map((score) => [score]),
  });
  /** Two kinds of 100 innocents with one audit each, whose keyed scores are 0, .01, ... .99. */
  const innocents = (['same', 'other'] as const).flatMap((data) =>
    Array.from({ length: 100 }, (_, index) =>
      model(`${data}-data independent`, `${data}/${index}`, 0, [index / 100]),
    ),
  );

  it('takes the smallest threshold that 1% of innocents exceed', () => {
    const surrogates = [0.97, 0.98, 0.985, 2].map((score) =>
      model('surrogate', `thief/${score}`, 0, [score]),
    );
    const change = powerChange({ subjects: [...innocents, ...surrogates], size: 0 })!;
    expect(change.thresholds.without.above).toBe(0.98);
    expect(change.thresholds.without.realised).toBeCloseTo(0.01, 10);
    expect(change.without).toBe(0.5);
    expect(change.with).toBe(0.5);
    expect(change.untied).toBe(0);
  });

  it('counts ties against surrogates', () => {
    const tied = innocents.map((each) => ({ ...each, keyed: [[0]] }));
    const change = powerChange({
      subjects: [...tied, model('surrogate', 'thief', 0, [0])],
      size: 0,
    })!;
    expect(change.thresholds.without).toMatchObject({ above: 0, realised: 0 });
    expect(change.thresholds.without.tied).toBeCloseTo(0.01, 10);
    expect(change.without).toBe(0);
  });

  it('lets fingerprints find a thief, and cost one where innocents have them', () => {
    const thief = model('surrogate', 'thief', Math.log10(25), [0.9]);
    const found = powerChange({ subjects: [...innocents, thief], size: 0 })!;
    expect([found.without, found.with]).toEqual([0, 1]);
    const accused = innocents.map((each, index) =>
      index % 50 < 2 ? { ...each, fingerprint: 1.5 } : each,
    );
    const comparison = { subjects: [...accused, model('surrogate', 'thief', 0, [1])], size: 0 };
    const lost = powerChange(comparison)!;
    expect([lost.without, lost.with]).toEqual([1, 0]);
    expect(changeIntervals(comparison).surrogates).toEqual([-1, -1]);
  });

  it('counts a quirk that labels cannot show as an e-value of 1', () => {
    const quirk = { statistic: 1, pSame: 0.02, pOther: 0.02, log10E: 1 };
    const { keyed, fingerprint, ...thief } = model('surrogate', 'thief', 0, [0]);
    const member: MeasuredMember = {
      audits: {
        ...{ plan: plan!, sizes: [100] },
        models: [{ ...thief, scores: { labels: keyed, probabilities: keyed } }],
      },
      findings: {
        ...{ plan: plan!, references: { same: 40, other: 40 }, ability },
        models: [{ ...thief, quirks: [{ quirk: 'probability-levels', ...quirk }] }],
      },
    };
    expect(subjectsOf([member], 'labels')[0]!.fingerprint).toBeCloseTo(0, 12);
    expect(subjectsOf([member], 'probabilities')[0]!.fingerprint).toBeGreaterThan(0.5);
  });
});

/** Of a protected model that its references stand for. */
const ability = { questions: 100, protectedModel: 0.8, least: 0.7, most: 0.9 };

describe('what is remembered', () => {
  it('has a name for each member, setting and version of the code, that stays the same', () => {
    const sources: Sources = [['scripts/zoo', /^manifest\.ts$/]];
    const names = members.flatMap((plan) =>
      [25, 26].map((keys) => resultFile('audits', { plan, keys }, sources)),
    );
    expect(new Set(names).size).toBe(2 * members.length);
    const [plan] = members;
    expect(resultFile('audits', { plan: plan!, keys: 25 }, sources)).toBe(names[0]);
    expect(resultFile('audits', { plan: plan!, keys: 25 }, [])).not.toBe(names[0]);
    expect(names[0]).toMatch(/^audits-images-1-[0-9a-f]{16}\.json$/);
  });
});

describe('tables', () => {
  /** A member whose thief has a keyed score of 1, and whose innocents have none; one has a fingerprint. */
  function memberWith(accused: number): MeasuredMember {
    const plan = members.find(({ task, number }) => task === 'images' && number === 3)!;
    const models = (['same', 'other'] as const).flatMap((data) =>
      Array.from({ length: 20 }, (_, index) => ({
        ...{ id: `${data}/${index}`, truth: `${data}-data independent` as const, kind: 'linear' },
        ...{ familiar: true, soft: false, keyed: 0, log10E: index === 0 ? accused : -1 },
      })),
    );
    const thief = { id: 'thief', truth: 'surrogate' as const, kind: 'linear, labels' };
    const everybody = [...models, { ...thief, familiar: false, soft: false, keyed: 1, log10E: -1 }];
    return {
      audits: {
        ...{ plan, sizes: [300] },
        models: everybody.map(({ log10E: _, keyed, ...model }) => ({
          ...model,
          scores: { labels: [[keyed]], probabilities: [[keyed]] },
        })),
      },
      findings: {
        ...{ plan, references: { same: 40, other: 40 }, ability },
        models: everybody.map(({ log10E, keyed: _, ...model }) => ({
          ...model,
          quirks: ['probability-levels', 'label-choices', 'boundary-geometry'].map((quirk) => ({
            ...{ quirk, statistic: 0, pSame: 1, pOther: 1, log10E },
          })),
        })),
      },
    };
  }

  it('say where power falls, and where it does not', () => {
    const kept = auditPowerTables('images', [memberWith(-1)]);
    expect(kept).toContain('Power falls by more than 0.02 nowhere.');
    expect(kept).toContain('| 3 and 4 | probabilities | 300 | 1 |');
    const lost = auditPowerTables('images', [memberWith(2)]);
    expect(lost).toContain(
      '- models 3 and 4, probabilities, 300 questions, all: 1.00 → 0.00, -1.000',
    );
    expect(lost).toContain('| probabilities | same data | yes | 20 | 5.09 | 1 | 0.0%, 0.0% |');
  });
});
