import { highProduct } from './wide-product.ts';

const firstMultiplier = 0xd2511f53;
const secondMultiplier = 0xcd9e8d57;
const firstWeyl = 0x9e3779b9;
const secondWeyl = 0xbb67ae85;
const rounds = 10;

/**
 * Replaces four words of 32 bits by Philox 4x32-10 of them under a key of two words (Salmon, Moraes,
 * Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.3).
 */
export function philox(words: Int32Array, firstKey: number, secondKey: number): void {
  let a = words[0]!;
  let b = words[1]!;
  let c = words[2]!;
  let d = words[3]!;
  let k = firstKey | 0;
  let l = secondKey | 0;
  for (let round = 0; round < rounds; round++) {
    const next = highProduct(secondMultiplier, c) ^ b ^ k;
    const third = highProduct(firstMultiplier, a) ^ d ^ l;
    b = Math.imul(secondMultiplier, c);
    d = Math.imul(firstMultiplier, a);
    a = next;
    c = third;
    k = (k + firstWeyl) | 0;
    l = (l + secondWeyl) | 0;
  }
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
}
