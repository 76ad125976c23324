import { areaUnderCurve } from '../../stats/mann-whitney.ts';
import type { SeededRandom } from '../../stats/sampling.ts';
import { type LabelledRow, trainLogistic } from './logistic.ts';

/** How rows are cut into parts. */
export interface CrossFitOptions {
  readonly dimensions: number;
  readonly folds: number;
  readonly random: SeededRandom;
  /** Called before each fit; may throw to stop. */
  readonly progress?: () => void;
}

/** What classifiers say of rows that they were not fitted on. */
export interface CrossFit {
  /** One logit per row. */
  readonly logits: readonly number[];
  /** The mean over the folds of the area under the ROC curve of their logits. */
  readonly areaUnderCurve: number;
}

/**
 * Scores each row by a logistic regression that was fitted on the other folds. Both sides are dealt
 * evenly into the folds, at random; each needs at least as many rows as there are folds.
 */
export function crossFit(
  examples: readonly LabelledRow[],
  { dimensions, folds, random, progress }: CrossFitOptions,
): CrossFit {
  const foldOf = dealFolds(examples, folds, random);
  const logits = new Array<number>(examples.length);
  let sum = 0;
  for (let fold = 0; fold < folds; fold += 1) {
    progress?.();
    const logit = trainLogistic(
      examples.filter((_, index) => foldOf[index] !== fold),
      { dimensions },
    );
    const own = examples.flatMap((example, index) =>
      foldOf[index] === fold ? [{ ...example, index, score: logit(example.row) }] : [],
    );
    for (const { index, score } of own) logits[index] = score;
    const positives = own.filter(({ positive }) => positive);
    const negatives = own.filter(({ positive }) => !positive);
    sum += areaUnderCurve(
      positives.map(({ score }) => score),
      negatives.map(({ score }) => score),
      positives.map(({ weight = 1 }) => weight),
    );
  }
  return { logits, areaUnderCurve: sum / folds };
}

function dealFolds(
  examples: readonly LabelledRow[],
  folds: number,
  random: SeededRandom,
): Uint8Array {
  const foldOf = new Uint8Array(examples.length);
  for (const side of [true, false]) {
    const members = examples.flatMap(({ positive }, index) => (positive === side ? [index] : []));
    random.shuffle(members).forEach((member, place) => {
      foldOf[member] = place % folds;
    });
  }
  return foldOf;
}
