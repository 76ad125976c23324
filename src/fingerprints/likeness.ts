/**
 * Returns Pearson's correlation of two lists of numbers over the places where both have one (NaN is
 * none): 1 for equal lists, also constant ones; 0 where either is constant or nothing is left.
 */
export function correlation(one: Float64Array, two: Float64Array): number {
  let [count, sumOne, sumTwo] = [0, 0, 0];
  let equal = true;
  for (let place = 0; place < one.length; place += 1) {
    const [x, y] = [one[place]!, two[place]!];
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    equal &&= x === y;
    count += 1;
    sumOne += x;
    sumTwo += y;
  }
  if (count === 0) return 0;
  if (equal) return 1;
  const [meanOne, meanTwo] = [sumOne / count, sumTwo / count];
  let [product, squareOne, squareTwo] = [0, 0, 0];
  for (let place = 0; place < one.length; place += 1) {
    const [x, y] = [one[place]! - meanOne, two[place]! - meanTwo];
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    product += x * y;
    squareOne += x * x;
    squareTwo += y * y;
  }
  const scale = Math.sqrt(squareOne * squareTwo);
  return scale > 0 ? Math.max(-1, Math.min(1, product / scale)) : 0;
}

/**
 * Returns 1 less the mean difference of two lists, over the places where both have a number (NaN is
 * none); 0 where nothing is left.
 */
export function closeness(one: Float64Array, two: Float64Array): number {
  let [count, sum] = [0, 0];
  for (let place = 0; place < one.length; place += 1) {
    const difference = Math.abs(one[place]! - two[place]!);
    if (Number.isNaN(difference)) continue;
    count += 1;
    sum += difference;
  }
  return count > 0 ? 1 - sum / count : 0;
}
