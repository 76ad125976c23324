import type { Classifier, Input } from '../../src/contracts.ts';
import { type Layers, labelsOf, probabilitiesOf } from '../../src/models/training/layers.ts';
import { hardLabels } from '../../src/models/training/model-families.ts';
import type { SparseRows } from '../../src/models/training/sparse-product.ts';
import { nearestClasses, sharesOf, votesOf } from './neighbours.ts';
import type { View } from './scene.ts';
import type { Lesson } from './school.ts';

/** How a model answers, whatever it is made of. */
export interface Answerer {
  /** The index of a class for each question; undefined for an answer outside the label set. */
  label(inputs: readonly Input[]): ArrayLike<number | undefined>;
  /**
   * Row-major [inputs, classes], each row summing to 1, or to less where a model gives some to
   * labels outside the set; absent where it gives labels only.
   */
  probabilities?(inputs: readonly Input[]): Float32Array;
}

/** What a model of the zoo truly is. */
export type Truth = 'protected' | 'same-data independent' | 'other-data independent' | 'surrogate';

/** A model of the zoo, and the truth about it. */
export interface ZooModel extends Answerer {
  readonly id: string;
  readonly truth: Truth;
  /** The family of an independent, the kind of a surrogate. */
  readonly kind: string;
  /** Independents: whether the library's references have that family. */
  readonly familiar: boolean;
}

/** Returns how a trained model answers that reads inputs in this way. */
export function layersAnswerer(view: View, layers: Layers): Required<Answerer> {
  return {
    label: (inputs) => labelsOf([layers], readOnce(view, inputs))[0]!,
    probabilities: (inputs) => probabilitiesOf([layers], readOnce(view, inputs))[0]!,
  };
}

/** Returns how the nearest of a lesson's rows answer; there is nothing to train. */
export function neighbourAnswerer(
  lesson: Lesson,
  sample: Uint32Array,
  neighbours: number,
): Required<Answerer> {
  const { view, targets, classes } = lesson;
  const labels = hardLabels(targets, classes);
  let last: { inputs: readonly Input[]; nearest: number[][] } | undefined;
  const nearest = (inputs: readonly Input[]) => {
    if (last?.inputs === inputs) return last.nearest;
    const search = { rows: readOnce(view, inputs), neighbours, dimensions: view.dimensions };
    last = { inputs, nearest: nearestClasses(lesson.rows, labels, sample, search) };
    return last.nearest;
  };
  return {
    label: (inputs) => votesOf(nearest(inputs)),
    probabilities: (inputs) => sharesOf(nearest(inputs), classes),
  };
}

/** Returns how a model answers that averages the probabilities of others. */
export function averageOf(
  members: readonly Required<Answerer>[],
  classes: number,
): Required<Answerer> {
  const probabilities = (inputs: readonly Input[]) => {
    const sums = new Float32Array(inputs.length * classes);
    for (const member of members) {
      member.probabilities(inputs).forEach((value, at) => {
        sums[at]! += value / members.length;
      });
    }
    return sums;
  };
  return { label: (inputs) => hardLabels(probabilities(inputs), classes), probabilities };
}

/** What stands for any answer outside the label set. */
const outside = 'none of these';

/** Returns a model as a classifier in this process that can be audited. */
export function classifierOf(model: ZooModel, labels: readonly string[]): Classifier {
  return {
    describe: async () => ({
      name: model.id,
      labels,
      gives: model.probabilities ? ['labels', 'probabilities'] : ['labels'],
    }),
    classify: async (inputs, { signal }) => {
      signal.throwIfAborted();
      const classes = model.label(inputs);
      const rows = model.probabilities?.(inputs);
      return inputs.map((_, row) => {
        const place = classes[row];
        const from = row * labels.length;
        return {
          answer: {
            label: place === undefined ? outside : labels[place]!,
            ...(rows && { probabilities: [...rows.subarray(from, from + labels.length)] }),
          },
        };
      });
    },
  };
}

const lastRead = new WeakMap<View, { inputs: readonly Input[]; rows: SparseRows }>();

/** Reads inputs, unless they are those that were read last in this way: many models get the same. */
function readOnce(view: View, inputs: readonly Input[]): SparseRows {
  const last = lastRead.get(view);
  if (last?.inputs === inputs) return last.rows;
  const rows = view.read(inputs);
  lastRead.set(view, { inputs, rows });
  return rows;
}
