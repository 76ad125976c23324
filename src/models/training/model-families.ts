import { seededRandom } from '../../stats/sampling.ts';
import { fitLayers } from './fit-layers.ts';
import type { Layers } from './layers.ts';
import { fitLinear, type LinearLearner } from './linear-scores.ts';
import type { SparseRows } from './sparse-product.ts';

/** A kind of model: a learner of linear scores, or a network of one hidden layer of that size. */
export type ModelFamily = LinearLearner | `network-${number}`;

/** Rows to learn from, and one distribution over the classes for each. */
export interface TrainingData {
  readonly rows: SparseRows;
  /** Row-major [rows, classes]. */
  readonly targets: Float32Array;
  readonly dimensions: number;
  readonly classes: number;
  /** Whether features may be negative. */
  readonly signed: boolean;
}

const batchSize = 128;

/**
 * Trains one model of a family. Epochs (15 to 25) and learning rate (.01 to .04) are drawn from the
 * seed, because nobody trains in quite the same way.
 *
 * @param sample the rows to learn from, as often as they are named
 */
export async function trainFamily(
  family: ModelFamily,
  { rows, targets, dimensions, classes, signed }: TrainingData,
  options: { readonly seed: string; readonly sample: Uint32Array; readonly signal: AbortSignal },
): Promise<Layers> {
  const { seed, sample } = options;
  if (family === 'naive-bayes' || family === 'perceptron') {
    const labels = hardLabels(targets, classes);
    return fitLinear(rows, labels, { dimensions, classes, learner: family, signed, seed, sample });
  }
  const random = seededRandom(`${seed}/settings`);
  const hidden = Number(family.slice('network-'.length));
  const passes = 15 + random.integer(11);
  const small = Math.max(1, 1000 / sample.length);
  return fitLayers(rows, targets, {
    ...options,
    ...{ dimensions, classes, hidden, batchSize },
    epochs: Math.round(passes * Math.min(2, small)),
    learningRate: 0.02 * 2 ** (2 * random.uniform() - 1) * (hidden === 0 ? 5 : 1),
  });
}

/** Returns the likeliest class of each row of targets. */
export function hardLabels(targets: Float32Array, classes: number): Uint16Array {
  return Uint16Array.from({ length: targets.length / classes }, (_, row) => {
    let best = 0;
    for (let label = 1; label < classes; label += 1) {
      if (targets[row * classes + label]! > targets[row * classes + best]!) best = label;
    }
    return best;
  });
}

/** Returns targets that give each row its class with certainty. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  for (let row = 0; row < labels.length; row += 1) targets[row * classes + labels[row]!] = 1;
  return targets;
}
