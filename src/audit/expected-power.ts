import {
  quantile,
  type Rehearsal,
  type RehearsedPoint,
  rehearsalId,
  shareMatched,
} from './rehearsal.ts';
import {
  applicable,
  chargedBans,
  type PlannedAudit,
  scoresByBudget,
  wantedBans,
} from './rehearsal-applicability.ts';
import type { Power } from './verdict.ts';

/** Power by rehearsals, and what a report shows of them. */
export interface RehearsedPower extends Power {
  /** Those that the bound is of, as `rehearsalId`. */
  readonly rehearsals: readonly string[];
  /** All rehearsals that apply, pooled at each of their budgets; ascending by answers. */
  readonly curve: readonly PowerPoint[];
}

/** How many surrogates of so many answers are found. */
export interface PowerPoint {
  readonly answers: number;
  /** Share found, with one-sided 95% bounds. */
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
  /** After charges. */
  readonly meanBans: number;
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
): RehearsedPower | undefined {
  const before = applicable(rehearsals, planned).filter(
    ({ quick, at }) => !quick && Date.parse(at) < Date.parse(planned.sealedAt),
  );
  const reached = before.flatMap((rehearsal) => {
    const point = rehearsal.budgets.findLast((each) => isReached(each, planned));
    return point === undefined ? [] : [{ rehearsal, point }];
  });
  const most = Math.max(0, ...reached.map(({ point }) => point.answers));
  const groups = new Map<string, Pooled>();
  for (const { rehearsal, point } of reached) {
    if (2 * point.answers <= most) continue;
    const families = [...rehearsal.families].sort();
    const group = groups.get(families.join()) ?? { families, ids: [], answers: [], scores: [] };
    groups.set(families.join(), group);
    group.ids.push(rehearsalId(rehearsal));
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
    rehearsals: lowest.group.ids,
    curve: curveOf(before, planned),
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
  const scores = scoresByBudget(applicable(rehearsals, planned));
  const { answers } = planned;
  const budgets = [...scores.keys()];
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

function curveOf(rehearsals: readonly Rehearsal[], planned: PlannedAudit): PowerPoint[] {
  return [...scoresByBudget(rehearsals)].map(([answers, scores]) => {
    const { share, lower, upper } = shareMatched(scores, wantedBans(planned));
    const mean = scores.reduce((sum, bans) => sum + bans, 0) / scores.length;
    return { answers, share, lower, upper, meanBans: mean - chargedBans(planned) };
  });
}

interface Pooled {
  readonly families: readonly string[];
  readonly ids: string[];
  readonly answers: number[];
  readonly scores: number[];
}

function isReached({ answers, asked }: RehearsedPoint, planned: PlannedAudit): boolean {
  const { logged, coins } = planned.probes;
  return answers <= planned.answers && asked.logged <= logged && asked.coins <= coins;
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
