/** Everything that lives in the zoo, by what it is made of; nothing here is trained or read. */
import type { Curriculum } from './school.ts';

export const taskNames = ['images', 'languages'] as const;
export type TaskName = (typeof taskNames)[number];

/** One protected model: its number is the seed of its split of the data. */
export interface MemberPlan {
  readonly task: TaskName;
  readonly number: number;
  /** Units of its hidden layer; 0 is a linear model. */
  readonly units: number;
}

/** Number 1 of each task is the protected model of `npm run trap-power`. */
export const members: readonly MemberPlan[] = [
  ...[64, 128, 0, 32].map((units, at) => ({ task: 'images' as const, number: at + 1, units })),
  ...[40, 128, 0, 256].map((units, at) => ({ task: 'languages' as const, number: at + 1, units })),
];

/** How thieves of one kind go about it. */
export interface SurrogateKind {
  readonly name: string;
  /** Whether they learn from probabilities; from labels otherwise. */
  readonly soft: boolean;
  readonly learner: Curriculum['learner'] | 'nearest neighbours';
  /** Units of the hidden layer for each of some thieves in turn. */
  readonly hidden?: readonly number[];
  /** Whether they know the protected model's architecture and how it reads inputs. */
  readonly sameArchitecture?: boolean;
  readonly queries?: number;
  /** Their own traffic by default; mixtures of it two by two, or questions of another source. */
  readonly asks?: 'traffic' | 'mixtures' | 'foreign';
  /** What becomes of the first model. */
  readonly afterwards?: 'distil again' | 'tune' | 'prune' | 'round' | 'average';
}

const few = 1000;

const both = (
  name: string,
  rest: Omit<SurrogateKind, 'name' | 'soft' | 'learner'>,
): SurrogateKind[] =>
  [true, false].map((soft) => ({
    ...{ name: `${name}, ${soft ? 'probabilities' : 'labels'}`, soft, learner: 'network' },
    ...rest,
  }));

/** The kinds that `npm run trap-power` measures. */
export const trapPowerKinds: readonly SurrogateKind[] = [
  ...both('same architecture', { sameArchitecture: true }),
  ...both('own features', {}),
  ...both('smaller network', { hidden: [16, 20, 28, 32] }),
  ...both('larger network', { hidden: [160, 192, 224] }),
  ...both('linear', { hidden: [0] }),
  ...both(`${few} queries`, { queries: few }),
  ...both('mixed queries', { asks: 'mixtures' }),
  ...both('distilled twice', { afterwards: 'distil again' }),
  ...both('tuned on the truth', { afterwards: 'tune' }),
  ...(['random features', 'perceptron', 'naive-bayes', 'nearest neighbours'] as const).map(
    (learner) => ({ name: `${learner.replace('-b', ' B')}, labels`, soft: false, learner }),
  ),
];

/** All kinds of surrogates. */
export const surrogateKinds: readonly SurrogateKind[] = [
  ...trapPowerKinds,
  ...both('other data', { asks: 'foreign' }),
  ...both('pruned', { afterwards: 'prune' }),
  ...both('4-bit', { afterwards: 'round' }),
  ...both('averaged', { afterwards: 'average' }),
];

/** How independents of one family are made. */
export type Recipe = {
  readonly kind: string;
  /** Whether references have that family, in this or another size. */
  readonly familiar: boolean;
  /** 0 is the protected model's way of reading inputs, others are unusual. */
  readonly view: 0 | 1 | 2;
  /** How many trap-power takes for each kind of data, and how many of those the zoo takes. */
  readonly count: number;
  readonly zoo: number;
} & (
  | { readonly learner: Curriculum['learner']; readonly hidden?: number }
  | { readonly neighbours: readonly number[] }
);

const familiar: readonly Recipe[] = [
  ...[20, 32, 48, 64, 96, 128, 160, 200].map((hidden) => ({
    kind: hidden < 64 ? 'smaller network' : hidden === 64 ? 'network' : 'larger network',
    familiar: true,
    view: 0 as const,
    count: hidden < 64 ? 5 : hidden < 160 ? 4 : 3,
    zoo: hidden === 64 || hidden === 128 ? 2 : 1,
    learner: 'network' as const,
    hidden,
  })),
  { kind: 'linear', familiar: true, view: 0, count: 4, zoo: 2, learner: 'network', hidden: 0 },
  { kind: 'perceptron', familiar: true, view: 0, count: 2, zoo: 1, learner: 'perceptron' },
  { kind: 'naive Bayes', familiar: true, view: 0, count: 2, zoo: 1, learner: 'naive-bayes' },
];
const unfamiliar: readonly Recipe[] = [
  {
    ...{ kind: 'nearest neighbours', familiar: false, view: 0, count: 6, zoo: 3 },
    neighbours: [1, 3, 5, 7, 9, 15],
  },
  {
    ...{ kind: 'random features', familiar: false, view: 0, count: 5, zoo: 2 },
    learner: 'random features',
  },
  ...(
    [
      { view: 1, count: 6, zoo: 2, learner: 'network', hidden: 64 },
      { view: 1, count: 3, zoo: 1, learner: 'network', hidden: 0 },
      { view: 1, count: 2, zoo: 1, learner: 'naive-bayes' },
      { view: 2, count: 3, zoo: 1, learner: 'network', hidden: 64 },
    ] as const
  ).map((rest) => ({ kind: 'other features', familiar: false, ...rest })),
];

/** The recipes of independents; each is followed once with each kind of data. */
export const independentRecipes: readonly Recipe[] = [...familiar, ...unfamiliar];
