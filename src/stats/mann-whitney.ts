import { TouchmarkError } from '../errors.ts';

/**
 * Returns the area under the ROC curve of scores: the probability that a positive scores above a
 * negative, ties counting half. It is the statistic U of Mann and Whitney (1947) over the number of
 * pairs; .5 is chance, and 1 is perfect.
 *
 * @param weights how often each positive counts, not all 0; once each by default
 * @throws INPUT_INVALID when either side is empty or weighs nothing, or a score is not a number
 */
export function areaUnderCurve(
  positives: ArrayLike<number>,
  negatives: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number {
  const below = Float64Array.from(negatives).sort();
  let wins = 0;
  let total = 0;
  for (let index = 0; index < positives.length; index += 1) {
    const weight = weights?.[index] ?? 1;
    const score = positives[index]!;
    wins += weight * (countBelow(below, score, false) + countBelow(below, score, true)) * 0.5;
    total += weight;
  }
  const area = wins / (total * below.length);
  if (area >= 0) return Math.min(1, area);
  throw new TouchmarkError(
    'INPUT_INVALID',
    `area under the curve: ${positives.length} positives, ${below.length} negatives, or no numbers`,
    { hint: 'Give at least one score of each side; each is a number.' },
  );
}

/** How many of the sorted values are below `score`, or with `ties` not above it. */
function countBelow(sorted: Float64Array, score: number, ties: boolean): number {
  if (Number.isNaN(score)) return score;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle]!;
    if (value < score || (ties && value === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}
