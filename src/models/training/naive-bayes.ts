import type { SparseVector } from '../../watermark/probability/features.ts';

export interface NaiveBayesOptions {
  readonly dimensions: number;
  readonly classes: number;
  /** Pseudo-count of every feature in every class. */
  readonly smoothing: number;
}

/**
 * Fits multinomial naive Bayes (McCallum and Nigam 1998) on hard labels, reading feature values as
 * fractional counts. Returns log joint scores [classes] for a feature vector.
 */
export function fitNaiveBayes(
  rows: readonly SparseVector[],
  labels: readonly number[],
  options: NaiveBayesOptions,
): (features: SparseVector) => Float64Array {
  const { dimensions, classes, smoothing } = options;
  const counts = new Float64Array(dimensions * classes).fill(smoothing);
  const totals = new Float64Array(classes).fill(smoothing * dimensions);
  const documents = new Float64Array(classes).fill(1);
  rows.forEach((row, index) => {
    const label = labels[index]!;
    documents[label]! += 1;
    row.indices.forEach((feature, entry) => {
      counts[feature * classes + label]! += row.values[entry]!;
      totals[label]! += row.values[entry]!;
    });
  });
  const logs = counts.map((count, index) => Math.log(count / totals[index % classes]!));
  const prior = documents.map((count) => Math.log(count / (rows.length + classes)));
  return (features) => {
    const scores = Float64Array.from(prior);
    features.indices.forEach((feature, entry) => {
      const value = features.values[entry]!;
      for (let k = 0; k < classes; k += 1) scores[k]! += value * logs[feature * classes + k]!;
    });
    return scores;
  };
}
