/**
 * Returns the largest unit of which all the positive weights are whole multiples, up to the
 * rounding of doubles (so .1, .2, .3 have the unit .1), or undefined when there is none that leaves
 * the total at or below `limit` units. Euclid's algorithm with a tolerance, then a check of every
 * weight.
 */
export function commonUnit(weights: Float64Array, limit: number): number | undefined {
  let total = 0;
  let largest = 0;
  for (const weight of weights) {
    total += weight;
    largest = Math.max(largest, weight);
  }
  const smallest = (total / limit) * (1 - 1e-9);
  let divisor = 0;
  for (const weight of weights) {
    divisor = divisorOf(weight, divisor, largest * 1e-10);
    if (divisor < smallest) return undefined;
  }
  const unit = largest / Math.round(largest / divisor);
  for (const weight of weights) {
    if (Math.abs(weight - Math.round(weight / unit) * unit) > weight * 2 ** -50) return undefined;
  }
  return unit;
}

function divisorOf(first: number, second: number, tolerance: number): number {
  let [high, low] = first > second ? [first, second] : [second, first];
  while (low > tolerance) {
    const rest = high % low;
    [high, low] = [low, low - rest < tolerance ? 0 : rest];
  }
  return high;
}
