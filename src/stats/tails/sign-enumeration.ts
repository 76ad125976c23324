/**
 * Counts the subsets of positive weights whose sum is at most `limit`, exactly, by meeting in the
 * middle (Horowitz and Sahni 1974): the sums of each half in ascending order, then one pass over
 * both. At most 36 weights; the work is 2^(n/2).
 */
export function countSubsetsUpTo(weights: Float64Array, limit: number): number {
  const half = weights.length >> 1;
  const left = sortedSubsetSums(weights.subarray(0, half));
  const right = sortedSubsetSums(weights.subarray(half));
  let count = 0;
  let fitting = right.length;
  for (const sum of left) {
    while (fitting > 0 && sum + right[fitting - 1]! > limit) fitting--;
    if (fitting === 0) return count;
    count += fitting;
  }
  return count;
}

/** All 2^n subset sums in ascending order: each weight merges the list with itself, shifted. */
function sortedSubsetSums(weights: Float64Array): Float64Array {
  let sums = new Float64Array(1);
  for (const weight of weights) {
    const merged = new Float64Array(2 * sums.length);
    let without = 0;
    let shifted = 0;
    for (let at = 0; at < merged.length; at++) {
      const next = sums[shifted]! + weight;
      if (without < sums.length && sums[without]! <= next) {
        merged[at] = sums[without++]!;
      } else {
        merged[at] = next;
        shifted++;
      }
    }
    sums = merged;
  }
  return sums;
}
