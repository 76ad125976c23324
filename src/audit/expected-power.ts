import { replayAssumption } from './material.ts';
import type { AuditPlan } from './plan.ts';
import {
  type AnswerShape,
  quantile,
  type Rehearsal,
  type RehearsedPoint,
  shareMatched,
} from './rehearsal.ts';
import type { Power } from './verdict.ts';

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
 * Returns the power of an audit by the rehearsals that apply to it, undefined where none does. One
 * applies when it was over before the plan was sealed, with the same toolkit, profile, protected model,
 * answer shape and tests, no more questions than the audit asks, and students of no more answers than
 * the tenant was served. Its scores are held against the plan's own threshold and charges.
 *
 * No rehearsal is chosen for its result: of each the largest such budget counts. Those with more than
 * half of the largest of these budgets are pooled, for each list of families apart, and the lowest
 * bound is the power: rehearsing again, with a few more answers or with easier students, never
 * outvotes a rehearsal that failed, while more of the same students outweigh bad luck.
 */
export function powerFor(
  rehearsals: readonly Rehearsal[],
  planned: PlannedAudit,
): Power | undefined {
  const reached = applicable(rehearsals, planned)
    .filter(({ quick, at }) => !quick && Date.parse(at) < Date.parse(planned.sealedAt))
    .flatMap((rehearsal) => {
      const point = rehearsal.budgets.findLast((each) => isReached(each, planned));
      return point === undefined ? [] : [{ rehearsal, point }];
    });
  const most = Math.max(0, ...reached.map(({ point }) => point.answers));
  const groups = new Map<string, Pooled>();
  for (const { rehearsal, point } of reached) {
    if (2 * point.answers <= most) continue;
    const families = [...rehearsal.families].sort();
    const group = groups.get(families.join()) ?? { families, answers: [], scores: [] };
    groups.set(families.join(), group);
    group.answers.push(point.answers);
    group.scores.push(...point.students.map(({ bans }) => bans));
  }
  const [lowest] = [...groups.values()]
    .map((group) => ({ group, found: shareMatched(group.scores, wantedBans(planned)) }))
    .sort((left, right) => left.found.lower - right.found.lower);
  if (lowest === undefined) return undefined;
  return {
    lower: lowest.found.lower,
    statement: statementOf(lowest.group, lowest.found, planned),
  };
}

/** What is to be expected of a surrogate of so many answers. */
export interface ExpectedBans {
  readonly answers: number;
  /** Share of surrogates found, with one-sided 95% bounds. */
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
  /** Median score after the plan's charges. */
  readonly bans: number;
  readonly statement: string;
}

/**
 * Returns what rehearsals, quick ones included, let one expect of a surrogate of `planned.answers`
 * answers: between two budgets linear in the logarithm of answers, beyond the largest as there, and
 * undefined below the smallest. For plans, not for verdicts.
 */
export function expectedBans(
  rehearsals: readonly Rehearsal[],
  planned: Omit<PlannedAudit, 'sealedAt'>,
): ExpectedBans | undefined {
  const scores = new Map<number, number[]>();
  for (const { budgets } of applicable(rehearsals, planned)) {
    for (const { answers, students } of budgets) {
      const known = scores.get(answers) ?? [];
      scores.set(answers, [...known, ...students.map(({ bans }) => bans)]);
    }
  }
  const { answers } = planned;
  const budgets = [...scores.keys()].sort((left, right) => left - right);
  const below = budgets.findLast((budget) => budget <= answers);
  if (below === undefined) return undefined;
  const above = budgets.find((budget) => budget >= answers) ?? below;
  const weight = above === below ? 0 : Math.log(answers / below) / Math.log(above / below);
  const between = (read: (scores: readonly number[]) => number): number =>
    (1 - weight) * read(scores.get(below)!) + weight * read(scores.get(above)!);
  const wanted = wantedBans(planned);
  const [share, lower, upper] = (['share', 'lower', 'upper'] as const).map((name) =>
    between((each) => shareMatched(each, wanted)[name]),
  ) as [number, number, number];
  const bans = between((each) => quantile(each, 0.5)) - chargedBans(planned);
  return {
    ...{ answers, share, lower, upper, bans },
    statement: `against a surrogate of ${answers} answers: power ${share.toFixed(2)} [${down(lower)}, ${up(upper)}], median ${bans.toFixed(1)} bans after charges`,
  };
}

interface Pooled {
  readonly families: readonly string[];
  readonly answers: number[];
  readonly scores: number[];
}

function applicable(
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

function isReached({ answers, asked }: RehearsedPoint, planned: PlannedAudit): boolean {
  const { logged, coins } = planned.probes;
  return answers <= planned.answers && asked.logged <= logged && asked.coins <= coins;
}

function chargedBans({ multiplicity }: Pick<PlannedAudit, 'multiplicity'>): number {
  return multiplicity.reduce((sum, { bans }) => sum + bans, 0);
}

function wantedBans(planned: Pick<PlannedAudit, 'threshold' | 'multiplicity'>): number {
  return planned.threshold + chargedBans(planned);
}

function statementOf(
  { families, answers }: Pooled,
  { matched, trained, lower }: Pick<RehearsedPoint, 'matched' | 'trained' | 'lower'>,
  { shape, threshold }: PlannedAudit,
): string {
  const [least, most] = [Math.min(...answers), Math.max(...answers)];
  const budget = least === most ? `${least}` : `${least} to ${most}`;
  return [
    `${matched} of ${trained} rehearsed surrogates reach ${threshold} bans after this audit's charges: power is at least ${down(lower)} (95% confidence).`,
    `Each learned from ${budget} served answers (${shape}), and gives ${shape}: ${families.join(', ')}.`,
    'Not covered: surrogates of fewer answers, other kinds of models, training on other data beside, and attacks that wash the mark out.',
  ].join(' ');
}

/** Rounded so that no bound is better than it is. */
function down(bound: number): string {
  return (Math.floor(1000 * bound) / 1000).toFixed(3);
}

function up(bound: number): string {
  return (Math.ceil(1000 * bound) / 1000).toFixed(3);
}
