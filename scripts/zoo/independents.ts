import { seededRandom } from '../../src/stats/sampling.ts';
import { independentRecipes, type Recipe } from './manifest.ts';
import type { Lesson } from './school.ts';
import { train, trueLesson, type Workshop } from './subject.ts';
import { type Answerer, layersAnswerer, neighbourAnswerer, type ZooModel } from './zoo-model.ts';

/** Examples of other data that one model learns from, where there are more. */
const mostExamples = 4000;

/**
 * Trains models that never saw an answer of the protected model, on its own training data and on other
 * data: every second one on a bootstrap sample (Efron 1979), each with a seed and habits of its own.
 *
 * @param counted which of a recipe's numbers says how many to train
 */
export async function trainIndependents(
  workshop: Workshop,
  counted: 'count' | 'zoo',
): Promise<ZooModel[]> {
  const models: ZooModel[] = [];
  const { scene, progress } = workshop;
  const views = [scene.views.protected, ...scene.views.unusual];
  const sides = [
    { truth: 'same-data independent' as const, examples: scene.training },
    { truth: 'other-data independent' as const, examples: scene.other },
  ];
  const total = sides.length * independentRecipes.reduce((sum, recipe) => sum + recipe[counted], 0);
  for (const { truth, examples } of sides) {
    const lessons = views.map((view) => trueLesson(scene, view, examples));
    for (const [number, recipe] of independentRecipes.entries()) {
      for (let index = 0; index < recipe[counted]; index += 1) {
        const id = `${truth}/${recipe.kind}/${number}/${index}`;
        const { kind, familiar } = recipe;
        const model = await learn(workshop, lessons[recipe.view]!, recipe, id, index);
        models.push({ id, truth, kind, familiar, ...model });
        progress('training independents', models.length, total);
      }
    }
  }
  return models;
}

async function learn(
  workshop: Workshop,
  lesson: Lesson,
  recipe: Recipe,
  id: string,
  index: number,
): Promise<Answerer> {
  const seed = `${workshop.seed}/${id}`;
  const rows = lesson.questions;
  const random = seededRandom(`${seed}/sample`);
  const size = Math.min(rows, mostExamples);
  const all = Array.from({ length: rows }, (_, row) => row);
  const sample = Uint32Array.from(
    index % 2 === 1 ? { length: size } : random.choose(all, size),
    (row) => (typeof row === 'number' ? row : random.integer(rows)),
  );
  if ('neighbours' in recipe) return neighbourAnswerer(lesson, sample, recipe.neighbours[index]!);
  const { learner, hidden = 0 } = recipe;
  const layers = await train(workshop, lesson, { learner, hidden, seed, sample });
  return layersAnswerer(lesson.view, layers);
}
