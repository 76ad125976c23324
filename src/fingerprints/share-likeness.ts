/** In place of a share or a size that no answer tells. */
export const untold = -1;

/**
 * Returns how alike two lists of shares are, from -2 to 1, over the places that both tell.
 *
 * Shares are compared by their angles, asin(sqrt(p)) over a quarter turn, on which differences mean
 * the same everywhere (Cohen 1988, section 6.2). The likeness is 1 - 3 |difference| on average: two
 * angles drawn uniformly differ by 1/3, so strangers to each other are expected at 0.
 *
 * 1 for equal shares; 0 when there is no place that both tell, unless neither tells any.
 */
export function shareLikeness(one: Float64Array, two: Float64Array): number {
  return meanLikeness(one, two, (p, q) => 1 - 3 * Math.abs(angle(p) - angle(q)));
}

/**
 * Returns how alike two lists of sizes are, from -1 to 1, over the places that both tell.
 *
 * The likeness is 1 - 2 |a - b| / (a + b) on average, and 1 where both are zero: for two sizes drawn
 * from one exponential distribution the quotient is uniform, so strangers are expected at 0.
 *
 * 1 for equal sizes; 0 when there is no place that both tell, unless neither tells any.
 */
export function sizeLikeness(one: Float64Array, two: Float64Array): number {
  return meanLikeness(one, two, (a, b) => (a === b ? 1 : 1 - (2 * Math.abs(a - b)) / (a + b)));
}

/** Returns the mean of numbers, or `untold` when there is none. */
export function meanOrUntold(values: readonly number[]): number {
  if (values.length === 0) return untold;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meanLikeness(
  one: Float64Array,
  two: Float64Array,
  likeness: (a: number, b: number) => number,
): number {
  let [sum, places, told] = [0, 0, 0];
  one.forEach((a, index) => {
    const b = two[index]!;
    if (a !== untold || b !== untold) told++;
    if (a === untold || b === untold) return;
    sum += likeness(a, b);
    places++;
  });
  if (places > 0) return sum / places;
  return told === 0 ? 1 : 0;
}

function angle(share: number): number {
  return Math.asin(Math.sqrt(Math.min(1, share))) / (Math.PI / 2);
}
