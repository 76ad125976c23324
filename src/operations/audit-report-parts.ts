import type { BudgetLimits, Spending } from '../audit/budget.ts';
import type { AuditFindings } from '../audit/conduct.ts';
import type { RehearsedPower } from '../audit/expected-power.ts';
import type { AuditMaterial } from '../audit/material.ts';
import type { AuditPlan } from '../audit/plan.ts';
import { planDigest, type Vouchers } from '../audit/vouchers.ts';
import type { ServedRecord } from '../contracts.ts';
import { timeOf } from '../keys/beacon.ts';
import { statedTime } from '../keys/timestamp.ts';
import type { RemoteCounts } from '../models/adapters/remote.ts';
import { conflictsOf } from '../report/conflicts.ts';
import type { AuditReport } from '../report/model.ts';
import type { ChecksPart } from '../report/parts.ts';
import type { LoggedAnswers } from './audit-answers.ts';
import { nullsOf } from './audit-nulls.ts';

/** How the asking went and what it cost, as reports show it. */
export function askingParts(
  plan: AuditPlan,
  { checks, evidence }: AuditFindings,
  asked: number,
  facts: {
    readonly limits: BudgetLimits;
    readonly spending: Spending & { readonly money: number };
    readonly counts: Pick<RemoteCounts, 'shape'>;
    readonly material: AuditMaterial;
    readonly answers: LoggedAnswers;
  },
): Pick<AuditReport, 'stopping' | 'budget' | 'checks' | 'conflicts' | 'nulls'> {
  const cutShort = evidence.some(({ status }) => status === 'partial');
  const { requests, tokens, money, seconds } = facts.limits;
  return {
    stopping: { rule: plan.stopping ?? 'horizon', stoppedAt: cutShort ? asked : null },
    budget: {
      ...(requests !== undefined && { requests }),
      ...(tokens !== undefined && { tokens }),
      ...(money !== undefined && { money }),
      ...(seconds !== undefined && { seconds }),
      spent: {
        requests: facts.spending.requests,
        tokens: facts.spending.tokens,
        money: facts.spending.money,
        seconds: facts.spending.seconds,
      },
    },
    checks: {
      repeated: checks.asked,
      changedLabels: checks.changedLabels,
      largestChange: Math.min(1, checks.largestProbabilityChange),
      likelyCaching: checks.likelyCaching,
      samples: checks.answers === 'samples',
      ...shapeOf(facts.counts),
      notes: notesOf(checks),
    },
    conflicts: conflictsOf(evidence),
    nulls: nullsOf(evidence, facts),
  };
}

function notesOf({ answers }: AuditFindings['checks']): string[] {
  return answers === 'varies' ? ['Its probabilities change from one answer to the next.'] : [];
}

/** What the suspect withholds of its probabilities, as far as this session has seen any. */
function shapeOf({ shape }: Pick<RemoteCounts, 'shape'>): Partial<ChecksPart> {
  if (shape === undefined) return {};
  const { samples: _, ...withheld } = shape;
  return withheld;
}

/** What rehearsals say, as reports show it. */
export function powerPart(power: RehearsedPower | undefined): AuditReport['power'] {
  if (power === undefined) return null;
  const { statement, lower, curve, rehearsals } = power;
  return {
    statement,
    lower,
    curve: curve.map((point) => ({ ...point })),
    rehearsal: rehearsals.join(', '),
  };
}

/** The dated things that an audit rests on; what others did not date is by the owner's own clock. */
export function custodyPart(facts: {
  readonly plan: AuditPlan;
  readonly planHash: string;
  readonly vouchers: Vouchers;
  readonly epochCreatedAt: string;
  readonly epochRetiredAt: string | undefined;
  readonly records: readonly ServedRecord[];
  readonly startedAt: Date;
  readonly finishedAt: Date;
}): NonNullable<AuditReport['custody']> {
  const { plan, records } = facts;
  const [first, last] = [records[0], records.at(-1)];
  const event = (at: string, what: string, digest: string | null = null) => ({
    ...{ at, what, digest },
    grade: 'asserted' as const,
  });
  return [
    event(facts.epochCreatedAt, `key of epoch ${plan.epoch} committed to`, plan.epochCommitment),
    ...(first === undefined ? [] : [event(first.servedAt, 'first answer served')]),
    ...(last === undefined || last === first ? [] : [event(last.servedAt, 'last answer served')]),
    ...(facts.epochRetiredAt === undefined
      ? []
      : [event(facts.epochRetiredAt, 'answers under a later key only')]),
    event(plan.sealedAt, 'plan sealed', facts.planHash),
    ...vouched(facts),
    event(facts.startedAt.toISOString(), 'asking begun or resumed'),
    event(facts.finishedAt.toISOString(), 'asking finished'),
  ];
}

/** What others say of the plan; whether they are to be believed is for whoever verifies the dossier. */
function vouched({
  planHash,
  vouchers: { planToken, beacon },
}: {
  readonly planHash: string;
  readonly vouchers: Vouchers;
}): NonNullable<AuditReport['custody']> {
  const anchored = (at: string, what: string, digest: string | null) => [
    { ...{ at, what, digest }, grade: 'anchored' as const },
  ];
  const seen = () => statedTime(Buffer.from(planToken!, 'base64'), planDigest(planHash));
  const drawn = () => new Date(timeOf(beacon!.chain, beacon!.round.round)).toISOString();
  return [
    ...(planToken === null ? [] : anchored(seen(), 'plan dated by an authority', planHash)),
    ...(beacon === null ? [] : anchored(drawn(), 'order of the questions drawn', null)),
  ];
}
