import type { Input, Progress } from '../../src/contracts.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import type { ModelCache } from '../../src/models/training/model-cache.ts';
import { hardLabels, oneHot } from '../../src/models/training/model-families.ts';
import { probabilitiesOf } from './forward.ts';
import type { Examples, Scene, View } from './scene.ts';
import { type Curriculum, type Lesson, lessonOf, teach } from './school.ts';

/** What questions were answered with. */
export interface Answers {
  /** Row-major [questions, classes]. */
  readonly probabilities: Float32Array;
  readonly labels: ArrayLike<number>;
}

/** Somebody whose answers others learn from. */
export type Teacher = (questions: readonly Input[]) => Answers;

/** What all training of one scene shares. */
export interface Workshop {
  readonly scene: Scene;
  readonly protected: Layers;
  /** What tenants are answered, where it is not what the protected model says. */
  readonly served?: Teacher;
  readonly seed: string;
  readonly cache: ModelCache;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Trains the model that the scene's owner protects: the scene's hidden units, true labels. */
export async function trainProtected(
  scene: Scene,
  { seed, cache, signal }: Pick<Workshop, 'seed' | 'cache' | 'signal'>,
): Promise<Layers> {
  const lesson = trueLesson(scene, scene.views.protected, scene.training);
  const sample = Uint32Array.from(scene.training.inputs.keys());
  return teach(
    lesson,
    { learner: 'network', hidden: scene.units, seed: `${seed}/protected`, sample },
    cache,
    signal,
  );
}

/** Returns a trained model as a teacher. */
export function teacherOf(view: View, layers: Layers): Teacher {
  return (questions) => {
    const probabilities = probabilitiesOf(layers, view.read(questions));
    return { probabilities, labels: hardLabels(probabilities, layers.classes) };
  };
}

/** A lesson with true labels. */
export function trueLesson({ labels }: Scene, view: View, examples: Examples): Lesson {
  return lessonOf(view, examples.inputs, oneHot(examples.labels, labels.length));
}

/** As `teach`, for a workshop. */
export function train(
  { cache, signal }: Workshop,
  lesson: Lesson,
  curriculum: Curriculum,
): Promise<Layers> {
  return teach(lesson, curriculum, cache, signal);
}
