import type { Progress } from '../../src/contracts.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import type { ModelCache } from '../../src/models/training/model-cache.ts';
import { oneHot } from '../../src/models/training/model-families.ts';
import type { Examples, Scene, View } from './scene.ts';
import { type Curriculum, type Labeller, type Lesson, lessonOf, teach } from './school.ts';

/** A model that is audited, and the truth about it. */
export interface Subject {
  readonly name: string;
  readonly truth: 'same-data independent' | 'other-data independent' | 'surrogate';
  /** The family of an independent, the kind of a surrogate. */
  readonly kind: string;
  /** Whether references of that family exist; surrogates: whether the library simulates the kind. */
  readonly familiar: boolean;
  readonly label: Labeller;
}

/** What all training of one scene shares. */
export interface Workshop {
  readonly scene: Scene;
  readonly protected: Layers;
  readonly seed: string;
  readonly cache: ModelCache;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Trains the model that the scene's owner protects: one hidden layer, true labels. */
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
