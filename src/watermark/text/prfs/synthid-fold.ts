import { highProduct } from './wide-product.ts';

/** The words of 6364136223846793005. */
export const multiplierHigh = 0x5851f42d;
export const multiplierLow = 0x4c957f2d;

/** A number modulo 2^64: its upper and lower word. */
export interface WideHash {
  high: number;
  low: number;
}

/**
 * Folds a number into a hash, in place: h becomes (h + number) x 6364136223846793005 + 1 modulo 2^64,
 * the step of every SynthID-Text hash (Dathathri et al. 2024, its published code).
 *
 * @param number whole, 0 to 2^53 - 1, or -1
 */
export function fold(hash: WideHash, number: number): void {
  const added = (hash.low >>> 0) + (number >>> 0);
  const carry = added >= 2 ** 32 ? 1 : 0;
  foldSum(hash, (hash.high + Math.floor(number / 2 ** 32) + carry) | 0, added | 0);
}

function foldSum(hash: WideHash, high: number, low: number): void {
  const product = Math.imul(low, multiplierLow);
  const upper =
    highProduct(low, multiplierLow) +
    Math.imul(low, multiplierHigh) +
    Math.imul(high, multiplierLow);
  hash.low = (product + 1) | 0;
  hash.high = (hash.low === 0 ? upper + 1 : upper) | 0;
}
