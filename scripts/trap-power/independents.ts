import { seededRandom } from '../../src/stats/sampling.ts';
import { type Curriculum, type Lesson, labellerOf, neighbourLabeller } from './school.ts';
import { type Subject, train, trueLesson, type Workshop } from './subject.ts';

type Recipe = {
  readonly kind: string;
  /** 0 is the protected model's, others are unusual. */
  readonly view: 0 | 1 | 2;
  /** How many of them there are for each kind of data. */
  readonly count: number;
} & (
  | { readonly learner: Curriculum['learner']; readonly hidden?: number }
  | { readonly neighbours: readonly number[] }
);

/** Families that references have, in other sizes too. */
const familiar: readonly Recipe[] = [
  ...[20, 32, 48, 64, 96, 128, 160, 200].map((hidden) => ({
    kind: hidden < 64 ? 'smaller network' : hidden === 64 ? 'network' : 'larger network',
    view: 0 as const,
    count: hidden < 64 ? 5 : hidden < 160 ? 4 : 3,
    learner: 'network' as const,
    hidden,
  })),
  { kind: 'linear', view: 0, count: 4, learner: 'network', hidden: 0 },
  { kind: 'perceptron', view: 0, count: 2, learner: 'perceptron' },
  { kind: 'naive Bayes', view: 0, count: 2, learner: 'naive-bayes' },
];
/** Families that no reference has. */
const unfamiliar: readonly Recipe[] = [
  { kind: 'nearest neighbours', view: 0, count: 6, neighbours: [1, 3, 5, 7, 9, 15] },
  { kind: 'random features', view: 0, count: 5, learner: 'random features' },
  { kind: 'other features', view: 1, count: 6, learner: 'network', hidden: 64 },
  { kind: 'other features', view: 1, count: 3, learner: 'network', hidden: 0 },
  { kind: 'other features', view: 1, count: 2, learner: 'naive-bayes' },
  { kind: 'other features', view: 2, count: 3, learner: 'network', hidden: 64 },
];
/** Examples of other data that one model learns from, where there are more. */
const mostExamples = 4000;

/**
 * Trains models that never saw an answer of the protected model, on its own training data and on other
 * data: every second one on a bootstrap sample (Efron 1979), each with a seed and habits of its own.
 */
export async function trainIndependents(workshop: Workshop): Promise<Subject[]> {
  const subjects: Subject[] = [];
  const { scene, progress } = workshop;
  const views = [scene.views.protected, ...scene.views.unusual];
  const sides = [
    { truth: 'same-data independent' as const, examples: scene.training },
    { truth: 'other-data independent' as const, examples: scene.other },
  ];
  const recipes = [...familiar, ...unfamiliar];
  const total = sides.length * recipes.reduce((sum, { count }) => sum + count, 0);
  for (const { truth, examples } of sides) {
    const lessons = views.map((view) => trueLesson(scene, view, examples));
    for (const [number, recipe] of recipes.entries()) {
      for (let index = 0; index < recipe.count; index += 1) {
        const name = `${truth}/${recipe.kind}/${number}/${index}`;
        subjects.push({
          name,
          truth,
          kind: recipe.kind,
          familiar: familiar.includes(recipe),
          label: await learn(workshop, lessons[recipe.view]!, recipe, name, index),
        });
        progress('training independents', subjects.length, total);
      }
    }
  }
  return subjects;
}

async function learn(
  workshop: Workshop,
  lesson: Lesson,
  recipe: Recipe,
  name: string,
  index: number,
): Promise<Subject['label']> {
  const seed = `${workshop.seed}/${name}`;
  const rows = lesson.rows.offsets.length - 1;
  const random = seededRandom(`${seed}/sample`);
  const size = Math.min(rows, mostExamples);
  const all = Array.from({ length: rows }, (_, row) => row);
  const sample = Uint32Array.from(
    index % 2 === 1 ? { length: size } : random.choose(all, size),
    (row) => (typeof row === 'number' ? row : random.integer(rows)),
  );
  if ('neighbours' in recipe) return neighbourLabeller(lesson, sample, recipe.neighbours[index]!);
  const { learner, hidden = 0 } = recipe;
  return labellerOf(lesson.view, await train(workshop, lesson, { learner, hidden, seed, sample }));
}
