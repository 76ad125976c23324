import { TouchmarkError } from '../../errors.ts';
import { LN10, log1mExp } from '../log-space.ts';
import { logPoissonMass } from './saddle-point.ts';

const TINY = 1e-300;

/**
 * Returns log10 Q(shape, value), the upper tail P(X >= value) of a Gamma variable of unit scale:
 * Q(a, x) = Gamma(a, x) / Gamma(a) (DLMF 8.2.4).
 *
 * Below a + 1 the series of the lower tail (DLMF 8.7.1) and its complement; above, the continued
 * fraction (DLMF 8.9.2) by Lentz's method as modified by Thompson and Barnett (1986). Both start
 * from Loader's (2000) saddle-point prefactor. Right to 1e-9 relative for shapes from 1e-6 to 1e6,
 * from p near 1 down to p = 1e-10000; time grows as sqrt(shape).
 *
 * @throws INPUT_INVALID unless shape > 0 is finite and value >= 0.
 */
export function log10GammaUpperTail(shape: number, value: number): number {
  if (!(shape > 0 && shape < Infinity && value >= 0)) {
    throw new TouchmarkError('INPUT_INVALID', `gamma tail: shape ${shape}, value ${value}`, {
      hint: 'Give a finite shape > 0 and a value >= 0.',
    });
  }
  if (value === 0) return 0;
  if (value === Infinity) return -Infinity;
  const logPrefactor = logPoissonMass(shape, value);
  if (value < shape + 1) {
    return log1mExp(logPrefactor + Math.log(lowerSeries(shape, value))) / LN10;
  }
  return (logPrefactor + Math.log(shape * upperFraction(shape, value))) / LN10;
}

/** P(a, x) / [x^a e^-x / Gamma(a + 1)] = 1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ... */
function lowerSeries(shape: number, value: number): number {
  let sum = 1;
  let term = 1;
  for (let denominator = shape + 1; ; denominator++) {
    const ratio = value / denominator;
    term *= ratio;
    sum += term;
    if (term <= 1e-18 * sum * (1 - ratio)) return sum;
  }
}

/** Q(a, x) / [x^a e^-x / Gamma(a)] = 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)) */
function upperFraction(shape: number, value: number): number {
  let b = value - shape + 1;
  let c = 1 / TINY;
  let d = 1 / b;
  let result = d;
  for (let step = 1; ; step++) {
    const a = step * (shape - step);
    b += 2;
    d = 1 / nonzero(a * d + b);
    c = nonzero(b + a / c);
    const factor = c * d;
    result *= factor;
    if (Math.abs(factor - 1) < 1e-15) return result;
  }
}

function nonzero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
