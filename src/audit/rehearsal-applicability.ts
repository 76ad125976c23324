import { replayAssumption } from './material.ts';
import type { AuditPlan } from './plan.ts';
import type { AnswerShape, Rehearsal } from './rehearsal.ts';

/** What an audit is about to do, as far as power depends on it. */
export interface PlannedAudit
  extends Pick<
    AuditPlan,
    | 'profile'
    | 'protectedModel'
    | 'tests'
    | 'assumptions'
    | 'threshold'
    | 'multiplicity'
    | 'toolkit'
  > {
  /** A rehearsal counts when it was over before. */
  readonly sealedAt: string;
  readonly shape: AnswerShape;
  readonly probes: { readonly fresh: number; readonly logged: number; readonly coins: number };
  /** Answers that the tenant was served: as many as a surrogate may have learned from. */
  readonly answers: number;
}

/**
 * Returns what matters of a plan for power.
 *
 * @param counts coins that the audit shows, and first occurrences of the tenant's questions in its epoch
 */
export function plannedAudit(
  plan: AuditPlan,
  { coins, answers }: { readonly coins: number; readonly answers: number },
): PlannedAudit {
  const shape = plan.gives.includes('probabilities') ? 'probabilities' : 'labels';
  return { ...plan, shape, probes: { ...plan.probes, coins }, answers };
}

/**
 * Returns the rehearsals of what an audit is about to do, by the same means, and of no more fresh probes;
 * of several with one seed the first, since their students are the same.
 */
export function applicable(
  rehearsals: readonly Rehearsal[],
  planned: Omit<PlannedAudit, 'sealedAt'>,
): readonly Rehearsal[] {
  const seeds = new Set<string>();
  return rehearsals.filter((rehearsal) => {
    const applies =
      rehearsal.toolkit === planned.toolkit &&
      rehearsal.profile === planned.profile &&
      rehearsal.protectedModel.name === planned.protectedModel.name &&
      rehearsal.protectedModel.version === planned.protectedModel.version &&
      rehearsal.shape === planned.shape &&
      rehearsal.tests.join() === planned.tests.join() &&
      rehearsal.probes.fresh <= planned.probes.fresh &&
      (rehearsal.assumptions.includes(replayAssumption) ||
        !planned.assumptions.includes(replayAssumption));
    if (!applies || seeds.has(rehearsal.seed)) return false;
    seeds.add(rehearsal.seed);
    return true;
  });
}

/** What an audit pays, in bans. */
export function chargedBans({ multiplicity }: Pick<PlannedAudit, 'multiplicity'>): number {
  return multiplicity.reduce((sum, { bans }) => sum + bans, 0);
}

/** The keyed score before charges at which an audit is a match, in bans. */
export function wantedBans(planned: Pick<PlannedAudit, 'threshold' | 'multiplicity'>): number {
  return planned.threshold + chargedBans(planned);
}

/** The scores of all students before charges, by budget, ascending. */
export function scoresByBudget(
  rehearsals: readonly Rehearsal[],
): ReadonlyMap<number, readonly number[]> {
  const points = rehearsals
    .flatMap(({ budgets }) => budgets)
    .sort((left, right) => left.answers - right.answers);
  const scores = new Map<number, number[]>();
  for (const { answers, students } of points) {
    scores.set(answers, [...(scores.get(answers) ?? []), ...students.map(({ bans }) => bans)]);
  }
  return scores;
}
