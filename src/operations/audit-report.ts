import type { BudgetLimits, Spending } from '../audit/budget.ts';
import type { AuditFindings } from '../audit/conduct.ts';
import type { RehearsedPower } from '../audit/expected-power.ts';
import type { Judgement } from '../audit/judgement.ts';
import type { AuditMaterial } from '../audit/material.ts';
import type { AuditPlan, SealedPlan } from '../audit/plan.ts';
import { isCounted } from '../audit/score.ts';
import { type TierThresholds, tierOf } from '../audit/verdict.ts';
import type { Vouchers } from '../audit/vouchers.ts';
import type { Description, ServedRecord } from '../contracts.ts';
import { timeOf } from '../keys/beacon.ts';
import type { RemoteCounts } from '../models/adapters/remote.ts';
import type { FingerprintPart } from '../report/fingerprint.ts';
import type { AuditReport } from '../report/model.ts';
import type { RelayPart } from '../report/parts.ts';
import { runFiles } from '../store/run-directory.ts';
import type { LoggedAnswers } from './audit-answers.ts';
import { askingParts, custodyPart, powerPart } from './audit-report-parts.ts';

export interface ReportParts {
  readonly sealed: SealedPlan;
  readonly vouchers: Vouchers;
  /** Whether an authority dated a checkpoint of the log that holds all records. */
  readonly recordsDated: boolean;
  readonly findings: AuditFindings;
  readonly judgement: Judgement;
  /** Since when answers carry another key, as the log shows it; undefined while it does not. */
  readonly epochRetiredAt: string | undefined;
  readonly description: Description;
  readonly counts: RemoteCounts;
  /** What rehearsals say of the chance to find a surrogate; null without any that apply. */
  readonly power: RehearsedPower | undefined;
  /** Bans that each step of the response policy takes. */
  readonly tiers: TierThresholds;
  readonly limits: BudgetLimits;
  readonly spending: Spending & { readonly money: number };
  readonly epochCreatedAt: string;
  /** The tenant's records of the epoch, in served order. */
  readonly records: readonly ServedRecord[];
  /** The traps that were exposed, and what is left in stock. */
  readonly traps: NonNullable<AuditReport['traps']>;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Who runs the suspect, where the owner says so. */
  readonly operator: string | undefined;
  readonly material: AuditMaterial;
  readonly answers: LoggedAnswers;
  readonly relay: RelayPart;
}

/** Merges an audit's evidence as the plan sealed it, decides, and says what was shown and what not. */
export function reportOf(parts: ReportParts): AuditReport {
  const { findings, description, counts, startedAt, finishedAt } = parts;
  const { plan, hash } = parts.sealed;
  const { rawScore, score, keyedScore: keyed, verdict } = parts.judgement;
  const counted = new Set(findings.evidence.filter(isCounted).map(({ test }) => test));
  const { outcomes } = findings;
  const asked = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  return {
    schema: 'touchmark/audit-report@2',
    version: plan.toolkit,
    suspect: {
      name: description.name,
      address: plan.suspect,
      labels: description.labels?.length ?? 0,
      gives: [...description.gives],
      ...(parts.operator !== undefined && { operator: parts.operator }),
    },
    protectedModel: { ...plan.protectedModel, labels: plan.labels },
    tenant: plan.tenant,
    epochs: [plan.epoch],
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    plan: {
      hash,
      sealedAt: plan.sealedAt,
      beacon: beaconText(parts.vouchers),
      threshold: plan.threshold,
      horizon: horizonOf(plan),
      tests: plan.tests,
      assumptions: plan.assumptions,
      standing: isVouchedFor(parts) ? 'timestamped' : 'self-attested',
    },
    verdict,
    score,
    keyedScore: keyed,
    rawScore,
    multiplicity: plan.multiplicity,
    tier: tierOf(score, keyed, parts.tiers, mayBeRelay(parts)),
    evidence: findings.evidence.map((each) => ({ ...each, counted: counted.has(each.test) })),
    trajectories: findings.trajectories.map(({ test, points }) => ({
      test,
      counted: counted.has(test),
      points: points.map(([probes, bans]) => [probes, bans] as const),
    })),
    confusion: withoutEmptyOutside(plan.labels, findings.confusion),
    traps: parts.traps,
    ...fingerprintPart(plan, findings),
    power: powerPart(parts.power),
    ...askingParts(plan, findings, asked, parts),
    custody: custodyPart({ ...parts, plan, planHash: hash }),
    relay: parts.relay,
    ...waysThere(parts),
    run: {
      probesAsked: asked,
      ...outcomes,
      outsideLabels: parts.answers.outsideLabels,
      seconds: (finishedAt.getTime() - startedAt.getTime()) / 1000,
      requests: counts.requests,
      retries: counts.retries,
    },
    files: {
      plan: runFiles.plan,
      runLog: runFiles.runLog,
      json: runFiles.json,
      html: runFiles.html,
    },
  };
}

/** Others saw records and plan, and nobody could choose the order of the questions. */
function isVouchedFor({ vouchers, recordsDated }: ReportParts): boolean {
  return recordsDated && vouchers.planToken !== null && vouchers.beacon !== null;
}

function beaconText({ beacon }: Vouchers): string | null {
  if (beacon === null) return null;
  const { chain, round } = beacon;
  const at = new Date(timeOf(chain, round.round)).toISOString();
  return `drand round ${round.round} of ${at}, chain ${chain.hash}`;
}

/** Probes that the plan foresees, cover aside. */
function horizonOf({ probes, fingerprint, traps = [] }: AuditPlan): number {
  const region = traps.filter(({ kind }) => kind === 'region');
  return region.reduce(
    (sum, { commitments }) => sum + commitments.length,
    probes.logged + probes.fresh + (fingerprint?.questions ?? 0),
  );
}

/** What was found by fingerprints, for readers. */
function fingerprintPart(
  { fingerprint }: AuditPlan,
  { fingerprint: found }: AuditFindings,
): { readonly fingerprint?: FingerprintPart } {
  const [first] = found?.ranks ?? [];
  if (fingerprint === undefined || found === undefined || first === undefined) return {};
  const [same, other] = [first.same.length, first.other.length];
  return {
    fingerprint: {
      protectedModel: fingerprint.fingerprint,
      probeSet: fingerprint.probeSet,
      references: { same, other, smallestP: 1 / (Math.min(same, other) + 1) },
      ...{ questions: found.questions, answered: found.answered, steadiness: found.steadiness },
      quirks: found.ranks.map(({ suspect, ...rank }) => ({
        ...rank,
        suspect: suspect?.statistic ?? null,
        ...(suspect ? {} : { why: 'The suspect’s answers do not show it.' }),
        pSame: suspect?.amongSame.p ?? null,
        pOther: suspect?.amongOther.p ?? null,
        log10E: suspect?.log10E ?? null,
      })),
    },
  };
}

function mayBeRelay({ relay, epochRetiredAt }: ReportParts): boolean {
  return relay.finding === 'relay-likely' || epochRetiredAt === undefined;
}

/** How answers may come to depend on a key without having learned from it, and what was done about it. */
function waysThere({
  epochRetiredAt,
  relay: { finding },
  recordsDated,
}: ReportParts): Pick<AuditReport, 'ruledOut' | 'notRuledOut'> {
  const relay = 'A relay that forwards questions to our own API';
  const open = {
    way: relay,
    why: 'Answers may still be marked under this epoch. Rotate the keys, start the gateway again, and audit the epoch once later answers are in the log.',
  };
  const likely = {
    way: relay,
    why: 'The relay check found signs of one. What it forwards carries the keys in use now; an answer under an earlier key it may have stored.',
  };
  const searched = finding === 'no-sign' ? ' Nor does the relay check find a sign of one.' : '';
  const closed = {
    way: relay,
    how: `Since ${epochRetiredAt} the log shows answers under a later key only, so what our API answers now does not carry this one.${searched}`,
  };
  const others = [...alwaysOpen, recordsDated ? datedRecords : undatedRecords];
  if (finding === 'relay-likely') return { ruledOut: [], notRuledOut: [likely, ...others] };
  return {
    ruledOut: epochRetiredAt === undefined ? [] : [closed],
    notRuledOut: [...(epochRetiredAt === undefined ? [open] : []), ...others],
  };
}

const alwaysOpen = [
  {
    way: 'A cache of our own answers',
    why: 'A suspect that stored what we served repeats it without having learned from it.',
  },
  {
    way: 'Public data that contains our answers',
    why: 'A model that learned from such data depends on the key without its maker having asked us.',
  },
];

const laterRecords = 'Records written after the suspect was known';
const undatedRecords = {
  way: laterRecords,
  why: 'No authority dated the log, so its dates are the owner’s own word.',
};
const datedRecords = {
  way: laterRecords,
  why: 'An authority dated the log; whether the suspect was available by then, the reader of the dossier has to know.',
};

function withoutEmptyOutside(
  labels: readonly string[],
  counts: AuditFindings['confusion'],
): AuditReport['confusion'] {
  const outside = counts.some((row) => (row[labels.length] ?? 0) > 0);
  return {
    labels: [...labels],
    counts: outside ? counts : counts.map((row) => row.slice(0, labels.length)),
  };
}
