import erfcx from '@stdlib/math-base-special-erfcx';
import { TouchmarkError } from '../../errors.ts';
import { LN10, log1mExp } from '../log-space.ts';

/**
 * Returns log10 P(Z >= z) for a standard normal Z.
 *
 * P = erfcx(z / sqrt 2) e^(-z^2 / 2) / 2, with the scaled complementary error function of Cody
 * (1969), for z > 0, and the complement by log1p for z <= 0. Right to 1e-9 relative wherever
 * 1 - p does not underflow (z >= -38; log10 p is 0 below).
 *
 * @throws INPUT_INVALID if z is NaN.
 */
export function log10NormalUpperTail(z: number): number {
  if (Number.isNaN(z)) {
    throw new TouchmarkError('INPUT_INVALID', 'normal tail: z is not a number', {
      hint: 'Check the variance that z was divided by: it may be 0.',
    });
  }
  return (z > 0 ? logUpper(z) : log1mExp(logUpper(-z))) / LN10;
}

/** log P(Z >= z) for z >= 0. */
function logUpper(z: number): number {
  if (z === Infinity) return -Infinity;
  return Math.log(erfcx(z * Math.SQRT1_2) / 2) - (z / 2) * z;
}
