/** Writes made-up reports, one per verdict and one with quirks, as HTML and JSON into the directory given. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import seedrandom from 'seedrandom';
import { renderHtml } from '../src/report/html.ts';
import { renderJson } from '../src/report/json.ts';
import type { AuditReport, Verdict } from '../src/report/model.ts';
import { renderTerminal } from '../src/report/terminal.ts';
import { withDoubts, withParts } from './report-sample-parts.ts';
import { quirkBans, sampleFingerprint } from './report-sample-quirks.ts';

const labels =
  'bg bs ca cs da de el en es et fi fr hr hu id it lt lv nb nl pl pt ro ru sk sl sv tr uk vi';
const confused = new Map([
  ['bs', 'hr'],
  ['hr', 'bs'],
  ['cs', 'sk'],
  ['sk', 'cs'],
  ['da', 'nb'],
  ['nb', 'da'],
  ['es', 'ca'],
  ['ca', 'es'],
  ['ru', 'bg'],
  ['uk', 'ru'],
  ['sl', 'hr'],
]);

interface Story {
  readonly name: string;
  readonly verdict: Verdict;
  readonly charge: number;
  readonly agreement: number;
  /** Final bans of per-query, coins, signs on fresh probes, signs on logged questions. */
  readonly ends: readonly [number, number, number, number];
}

const stories: readonly Story[] = [
  {
    name: 'linguist-lite',
    verdict: 'match',
    charge: 0.3,
    agreement: 0.93,
    ends: [46.31, 31.87, 17.42, 38.6],
  },
  {
    name: 'cld3',
    verdict: 'no-match-found',
    charge: 0.3,
    agreement: 0.82,
    ends: [-0.42, 0.16, -0.31, 0.2],
  },
  {
    name: 'northwind-id',
    verdict: 'inconclusive',
    charge: 0.7,
    agreement: 0.88,
    ends: [1.92, 1.34, 0.41, 2.2],
  },
];

/** Returns a realistic report; the same story always gives the same report. */
export function sampleReport(story: Story): AuditReport {
  const random = seedrandom(story.name);
  const names = labels.split(' ');
  const rawScore = story.ends[0] + story.ends[1] + story.ends[2];
  const score = rawScore - story.charge;
  const tests = ['probability-per-query', 'label-coins', 'probability-signs'];
  const probes = [5000, 1320, 2000, 5000];
  const horizon = 8320;
  const asked = story.verdict === 'inconclusive' ? 3120 : horizon;
  return {
    schema: 'touchmark/audit-report@2',
    version: '0.1.0',
    suspect: {
      name: story.name,
      address: `https://${story.name}.example.com/v2/models/language/infer`,
      labels: 30,
      gives: ['labels', 'probabilities'],
      operator: 'Example Language Services Ltd',
    },
    protectedModel: { name: 'fasttext-lid-176', version: '2026-01', labels: names },
    tenant: 'acme-translate',
    epochs: ['2026-03'],
    startedAt: '2026-05-04T09:12:20Z',
    finishedAt: '2026-05-04T09:13:51Z',
    plan: {
      hash: `sha256:${'8c1f0d5e72ab9946'.repeat(4)}`,
      sealedAt: '2026-05-04T09:12:04Z',
      beacon: null,
      threshold: 6,
      horizon,
      tests,
      assumptions: [],
      standing: 'self-attested',
    },
    verdict: story.verdict,
    score,
    rawScore,
    multiplicity: [{ reason: '2 suspects were audited under this plan', bans: story.charge }],
    tier: score >= 6 ? 'escalate' : score >= 2 ? 'notify' : 'none',
    evidence: [...tests, 'probability-signs-replay'].map((test, index) => ({
      test,
      null: index === 3 ? 'descriptive' : 'keyed',
      status: story.verdict === 'inconclusive' ? 'partial' : 'done',
      log10E: index === 3 ? 0 : story.ends[index]!,
      ...(story.verdict !== 'inconclusive' && (index === 1 || index === 2)
        ? { log10P: Math.min(-0.2, -story.ends[index]! - 1.3) }
        : {}),
      probes: Math.round((probes[index]! * asked) / horizon),
      skipped: index === 1 ? { 'outside the pair': 61 } : { 'outside the labels': 12 },
      effect: index === 1 ? { heads: 1004, tails: 255 } : { temperature: 1.08, correlation: 0.211 },
      keyMaterial: [`sha256:${'ab37'.repeat(16)}`],
      assumptions: index === 3 ? ['the questions were not chosen from served answers'] : [],
      counted: index !== 3,
    })),
    trajectories: [...tests, 'probability-signs-replay'].map((test, index) => ({
      test,
      counted: index !== 3,
      points: walk(story.ends[index]!, Math.round((probes[index]! * asked) / horizon), random),
    })),
    confusion: { labels: names, counts: confusionCounts(names, story.agreement, random) },
    traps: {
      lots: [
        { ...lotOf('coin', 'a1', 7, 20), expectedBans: 4.71 },
        {
          ...lotOf('region', '5e', 0, 50),
          expectedBans: 1.06,
          ...(story.verdict === 'inconclusive' && {
            revealed: names.slice(0, 12).map((label) => ({
              question: `alle mennesker son frie and ${label}`,
              label,
              opening: '{}',
            })),
          }),
        },
      ],
      remaining: [
        { kind: 'coin', audits: 92 },
        { kind: 'region', audits: 4 },
      ],
    },
    power:
      story.verdict === 'inconclusive'
        ? null
        : {
            statement:
              'at least .95 by the lower confidence bound (100 of 100) in rehearsals of soft-label networks and linear students that asked 5,000 questions; naive Bayes students were not caught reliably',
          },
    ruledOut: [
      {
        way: 'A relay of our service',
        how: 'only closed epochs were audited, after every key had been rotated',
      },
    ],
    notRuledOut: [
      { way: 'Distillation by somebody else', why: 'the tenant may have passed answers on' },
      { way: 'Public data', why: 'no search for our answers in public corpora was made' },
    ],
    run: {
      probesAsked: asked,
      answered: asked - 14,
      refused: 0,
      failed: 2,
      unsupported: 0,
      outsideLabels: 12,
      seconds: 91.4,
      requests: Math.ceil(asked / 64) + 2,
      retries: 2,
    },
    files: {
      plan: 'plan.json',
      runLog: 'run.jsonl',
      json: 'report.json',
      html: 'report.html',
    },
  };
}

function lotOf(kind: 'coin' | 'region', digits: string, lot: number, traps: number) {
  return {
    set: `${kind}-${digits.repeat(8)}`,
    root: `sha256:${digits.repeat(32)}`,
    kind,
    lot,
    commitments: Array.from({ length: traps }, (_, index) =>
      `${digits}${String(index).padStart(2, '0')}`.repeat(16),
    ),
  };
}

function walk(end: number, probes: number, random: () => number): [number, number][] {
  let noise = 0;
  const later = Array.from({ length: 60 }, (_, index): [number, number] => {
    const share = (index + 1) / 60;
    noise += (random() - 0.5) * Math.max(0.5, Math.abs(end) / 25);
    return [Math.round(probes * share), end * share + noise * (1 - share)];
  });
  return [[0, 0], ...later];
}

function confusionCounts(names: readonly string[], agreement: number, random: () => number) {
  return names.map((row) => {
    const total = 160 + Math.floor(random() * 130);
    const counts = names.map(() => (random() < 0.08 ? 1 + Math.floor(random() * 3) : 0));
    const twin = names.indexOf(confused.get(row) ?? '');
    if (twin >= 0) counts[twin] = Math.round(total * (1 - agreement) * 1.6);
    counts[names.indexOf(row)] = Math.round(total * agreement);
    return [...counts, random() < 0.3 ? 1 : 0];
  });
}

/** Returns a report whose suspect was also compared with the protected model by fingerprints. */
function withQuirks(report: AuditReport): AuditReport {
  const fingerprint = sampleFingerprint();
  const test = 'fingerprint-quirks';
  const found = quirkBans(fingerprint);
  const rawScore = report.rawScore + Math.log10(0.5 + 0.5 * 10 ** found);
  const charge = report.multiplicity.reduce((sum, { bans }) => sum + bans, 0);
  const asked = report.run.probesAsked + fingerprint.questions;
  return {
    ...report,
    rawScore,
    score: rawScore - charge,
    keyedScore: report.score,
    plan: { ...report.plan, horizon: asked, tests: [...report.plan.tests, test] },
    evidence: [
      ...report.evidence,
      {
        test,
        null: 'reference',
        status: 'done',
        log10E: found,
        probes: fingerprint.answered,
        skipped: { 'without an answer': fingerprint.questions - fingerprint.answered },
        effect: {},
        keyMaterial: [],
        assumptions: [],
        counted: true,
      },
    ],
    trajectories: [
      ...report.trajectories,
      {
        test,
        counted: true,
        points: [
          [0, 0],
          [fingerprint.answered, found],
        ],
      },
    ],
    fingerprint,
    run: {
      ...report.run,
      probesAsked: asked,
      answered: report.run.answered + fingerprint.answered,
    },
  };
}

/**
 * The stories as reports: match and no match found with every part, inconclusive with doubts; and a
 * match with quirks and no other optional part.
 */
export const sampleReports: readonly AuditReport[] = [
  ...stories.map((story) => {
    const report = sampleReport(story);
    return story.verdict === 'inconclusive' ? withDoubts(report) : withParts(report);
  }),
  withQuirks(
    sampleReport({
      name: 'meadow-lid',
      verdict: 'match',
      charge: 0.3,
      agreement: 0.9,
      ends: [8.21, 3.12, 1.43, 6.1],
    }),
  ),
];

if (process.argv[1] === import.meta.filename) {
  const directory = process.argv[2];
  if (directory === undefined) throw new Error('usage: tsx scripts/report-sample.ts DIRECTORY');
  mkdirSync(directory, { recursive: true });
  for (const report of sampleReports) {
    const path = join(directory, report.fingerprint === undefined ? report.verdict : 'quirks');
    writeFileSync(`${path}.html`, renderHtml(report));
    writeFileSync(`${path}.json`, renderJson(report));
    process.stdout.write(renderTerminal(report));
  }
}
