/** The natural logarithm of ten: divides a natural logarithm into bans. */
export const LN10 = Math.LN10;

/** log(e^a + e^b) without overflow; either may be -Infinity. */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  if (!Number.isFinite(high)) return high;
  return high + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** log of the sum of e^v over the values, without overflow; -Infinity for no values. */
export function logSumExp(values: ArrayLike<number>): number {
  let high = -Infinity;
  for (let index = 0; index < values.length; index++) high = Math.max(high, values[index]!);
  if (!Number.isFinite(high)) return high;
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += Math.exp(values[index]! - high);
  return high + Math.log(sum);
}

/**
 * log(1 - e^x) for x <= 0, accurate at both ends (Maechler 2012, "Accurately computing
 * log(1 - exp(-|a|))", section 2); -Infinity at x = 0, NaN above.
 */
export function log1mExp(x: number): number {
  if (x > -Math.LN2) return Math.log(-Math.expm1(x));
  return Math.log1p(-Math.exp(x)) + 0;
}
