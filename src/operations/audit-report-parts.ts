import type { BudgetLimits, Spending } from '../audit/budget.ts';
import type { AuditFindings } from '../audit/conduct.ts';
import type { RehearsedPower } from '../audit/expected-power.ts';
import type { AuditPlan } from '../audit/plan.ts';
import type { ServedRecord } from '../contracts.ts';
import { conflictsOf } from '../report/conflicts.ts';
import type { AuditReport } from '../report/model.ts';

/** How the asking went and what it cost, as reports show it. */
export function askingParts(
  plan: AuditPlan,
  { checks, evidence }: AuditFindings,
  asked: number,
  cost: { readonly limits: BudgetLimits; readonly spending: Spending & { readonly money: number } },
): Pick<AuditReport, 'stopping' | 'budget' | 'checks' | 'conflicts' | 'nulls'> {
  const cutShort = evidence.some(({ status }) => status === 'partial');
  const { requests, tokens, money, seconds } = cost.limits;
  return {
    stopping: { rule: plan.stopping ?? 'horizon', stoppedAt: cutShort ? asked : null },
    budget: {
      ...(requests !== undefined && { requests }),
      ...(tokens !== undefined && { tokens }),
      ...(money !== undefined && { money }),
      ...(seconds !== undefined && { seconds }),
      spent: {
        requests: cost.spending.requests,
        tokens: cost.spending.tokens,
        money: cost.spending.money,
        seconds: cost.spending.seconds,
      },
    },
    checks: {
      repeated: checks.asked,
      changedLabels: checks.changedLabels,
      largestChange: Math.min(1, checks.largestProbabilityChange),
      likelyCaching: checks.likelyCaching,
      samples: checks.answers === 'samples',
      notes: notesOf(checks),
    },
    conflicts: conflictsOf(evidence),
    nulls: evidence.flatMap(nullOf),
  };
}

function notesOf({ answers, likelyCaching }: AuditFindings['checks']): string[] {
  return [
    ...(answers === 'samples'
      ? ['It draws its labels: the same question is answered differently at times.']
      : []),
    ...(answers === 'varies' ? ['Its probabilities change from one answer to the next.'] : []),
    ...(likelyCaching
      ? ['It seems to cache answers: a question that was asked before comes back much sooner.']
      : []),
  ];
}

/** Fair coins are what label coins are held against. */
function nullOf({
  test,
  effect,
  log10P,
}: AuditFindings['evidence'][number]): NonNullable<AuditReport['nulls']> {
  const { coins, hits } = effect;
  if (test !== 'label-coins' || coins === undefined || hits === undefined || coins === 0) return [];
  return [
    {
      test,
      kind: 'keyed',
      shape: 'coin-binomial',
      trials: coins,
      observed: hits,
      ...(log10P !== undefined && { log10P }),
    },
  ];
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

/** The dated things that an audit rests on; all by the owner's own clock. */
export function custodyPart(facts: {
  readonly plan: AuditPlan;
  readonly planHash: string;
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
    event(facts.startedAt.toISOString(), 'asking begun or resumed'),
    event(facts.finishedAt.toISOString(), 'asking finished'),
  ];
}
