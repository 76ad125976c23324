import seedrandom from 'seedrandom';
import { conflictsOf } from '../src/report/conflicts.ts';
import type { AuditReport } from '../src/report/model.ts';
import type { CustodyEntry, NullDistribution, PowerPart } from '../src/report/parts.ts';

const digest = (pair: string) => `sha256:${pair.repeat(32)}`;

/** Returns a report as a full audit makes it: every optional part but fingerprints. */
export function withParts(report: AuditReport): AuditReport {
  return {
    ...report,
    stopping: { rule: 'horizon', stoppedAt: null },
    budget: {
      requests: 400,
      money: 5,
      spent: { requests: report.run.requests, tokens: 0, money: 1.66, seconds: report.run.seconds },
    },
    checks: {
      repeated: 40,
      changedLabels: 1,
      largestChange: 0.0031,
      likelyCaching: false,
      samples: false,
      roundedTo: 4,
      topOnly: 5,
      notes: ['the suspect names a build, 2026.04.2, in every answer'],
    },
    conflicts: conflictsOf(report.evidence),
    relay: {
      finding: 'no-sign',
      closedSince: '2026-04-01T00:00:00Z',
      coins: { asked: 120, agreeing: 68, keys: 12, log10E: -0.71 },
      log: {
        ...{ probes: 1988, found: 0, ofAuditedTenant: 0, tenants: 0, inWindow: 0 },
        ...{ windowSeconds: 30, earlier: 0, log10P: 0 },
      },
      says: 'Nothing speaks for a relay. No question of this audit came to us while the suspect was asked. Its answers do not follow the coins of keys in use.',
    },
    nulls: nullsOf(report),
    custody,
    power: powerOf(report.power),
    dossier: {
      file: 'linguist-lite.dossier.json',
      digest: digest('4e'),
      keyIdentifier: 'ed25519:9b2f7c10aa41d3e8',
    },
    policy: {
      tier: report.tier,
      actions: [
        { tier: 'notify', kind: 'command', done: true, dry: false },
        { tier: 'restrict', kind: 'command', done: false, dry: true },
      ],
    },
  };
}

/** Returns a report whose evidence disagrees, whose asking stopped early and which saw a cache. */
export function withDoubts(report: AuditReport): AuditReport {
  const evidence = report.evidence.map((each) =>
    each.test === 'probability-signs' ? { ...each, log10E: -2.4 } : each,
  );
  return {
    ...report,
    evidence,
    trajectories: report.trajectories.map((each) =>
      each.test === 'probability-signs'
        ? {
            ...each,
            points: each.points.map(
              ([probes], index) =>
                [probes, index === 0 ? 0 : (-2.4 * index) / (each.points.length - 1)] as const,
            ),
          }
        : each,
    ),
    conflicts: conflictsOf(
      evidence.map((each, index) => (index === 0 ? { ...each, log10E: 2.1 } : each)),
    ),
    stopping: { rule: 'threshold', stoppedAt: report.run.probesAsked },
    checks: {
      repeated: 40,
      changedLabels: 9,
      largestChange: 0,
      likelyCaching: true,
      samples: true,
      labelDisagreesWithArgMax: 0.08,
      notes: [],
    },
    relay: {
      finding: 'relay-likely',
      closedSince: null,
      coins: { asked: 41, agreeing: 40, keys: 12, log10E: 8.93 },
      log: {
        ...{ probes: 760, found: 731, ofAuditedTenant: 0, tenants: 1, inWindow: 731 },
        ...{ windowSeconds: 30, earlier: 0, log10P: -220.05 },
      },
      says: 'The suspect seems to forward questions to our own service: its answers to questions nobody had asked before follow the coins of a key in use, and the questions of this audit came to us while it was asked. Its answers then are ours, and do not show that it learned from them.',
    },
    ruledOut: [],
    notRuledOut: [
      { way: 'A relay of our service', why: 'the relay check found signs of one' },
      ...report.notRuledOut,
    ],
    custody: custody.filter(({ grade }) => grade !== 'anchored'),
    dossier: null,
    policy: { tier: report.tier, actions: [] },
  };
}

function nullsOf({ evidence, verdict }: AuditReport): NullDistribution[] {
  const random = seedrandom('nulls');
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
  const seen = (found: number, nothing: number) => (verdict === 'match' ? found : nothing);
  const log10P = (test: string) => evidence.find((each) => each.test === test)?.log10P ?? 0;
  return [
    {
      test: 'probability-per-query',
      kind: 'keyed',
      shape: 'weighted-signs',
      draws: Array.from({ length: 400 }, () => 4.1 * normal()),
      observed: seen(58.3, -1.7),
    },
    {
      test: 'label-coins',
      kind: 'keyed',
      shape: 'coin-binomial',
      trials: 1259,
      observed: seen(1004, 652),
      log10P: log10P('label-coins'),
    },
    {
      test: 'probability-signs',
      kind: 'keyed',
      shape: 'standard-signs',
      observed: seen(8.6, -0.45),
      log10P: log10P('probability-signs'),
    },
    {
      test: 'region-traps',
      kind: 'reference',
      shape: 'ranks',
      statistic: 'answers inside the region',
      draws: Array.from({ length: 24 }, () => 0.31 + 0.05 * normal()),
      observed: seen(0.52, 0.33),
    },
  ];
}

const custody: readonly CustodyEntry[] = [
  {
    at: '2026-02-27T16:00:03Z',
    what: 'epoch 2026-03 committed',
    digest: digest('1a'),
    grade: 'anchored',
  },
  {
    at: '2026-02-27T16:00:30Z',
    what: 'beacon round 4771234 of drand',
    digest: null,
    grade: 'recomputed',
  },
  {
    at: '2026-02-28T09:30:00Z',
    what: 'watermark profile sealed',
    digest: digest('2b'),
    grade: 'recomputed',
  },
  {
    at: '2026-03-01T00:00:11Z',
    what: 'first record of the epoch',
    digest: digest('3c'),
    grade: 'asserted',
  },
  {
    at: '2026-03-31T23:58:40Z',
    what: 'last record of the epoch',
    digest: digest('4d'),
    grade: 'asserted',
  },
  { at: '2026-04-01T00:00:00Z', what: 'epoch 2026-03 closed', digest: null, grade: 'asserted' },
  { at: '2026-04-02T08:00:00Z', what: 'traps sealed', digest: digest('a1'), grade: 'anchored' },
  { at: '2026-05-04T09:12:04Z', what: 'plan sealed', digest: digest('5e'), grade: 'anchored' },
  {
    at: '2026-05-04T09:12:18Z',
    what: 'beacon round 4957712 of drand',
    digest: null,
    grade: 'recomputed',
  },
  { at: '2026-05-04T09:12:20Z', what: 'first probe', digest: digest('6f'), grade: 'recomputed' },
  { at: '2026-05-04T09:13:50Z', what: 'last probe', digest: digest('7a'), grade: 'recomputed' },
  { at: '2026-05-04T09:13:51Z', what: 'report', digest: digest('8b'), grade: 'recomputed' },
  { at: '2026-05-04T09:13:52Z', what: 'dossier', digest: null, grade: 'asserted' },
];

function powerOf(power: AuditReport['power']): PowerPart | null {
  if (power === null) return null;
  const at = (answers: number, found: number, meanBans: number) => ({
    answers,
    share: found / 40,
    lower: Math.max(0, found / 40 - 0.14),
    upper: Math.min(1, found / 40 + 0.12),
    meanBans,
  });
  return {
    ...power,
    lower: 0.964,
    curve: [
      at(200, 3, 0.6),
      at(500, 15, 4.2),
      at(1000, 31, 9.7),
      at(2000, 40, 22.5),
      at(5000, 40, 61),
    ],
    rehearsal: 'rehearsals/2026-04',
  };
}
