import { createHash } from 'node:crypto';
import type { TextPrf } from './prf.ts';
import { fold, multiplierHigh, multiplierLow, type WideHash } from './synthid-fold.ts';
import { type SynthIdHash, synthIdPrf } from './synthid-prf.ts';
import { highProduct } from './wide-product.ts';

const startModulus = 2n ** 63n - 1n;
const mixingSteps = 12;
const shiftBits = 5;
const chosenBit = 30;

/**
 * Returns the SynthID-Text function of DeepMind's repository since June 2025: the hash of context,
 * token and the layer's key, folded from a number made of all keys, is mixed twelve times by
 * folding 1 and shifting right by 5; its bit 30 is the layer's.
 *
 * A linear congruential hash of 64 bits is no cryptographic function: detection is exact under an
 * ideal one.
 *
 * @param keys one whole number for each layer
 */
export function synthIdDeepMindPrf(keys: readonly number[], ngramLength: number): TextPrf {
  return synthIdPrf(new MixedHash(keys), ngramLength);
}

/**
 * Returns where the hash begins: the SHA-256 of the keys, each as eight bytes little-endian, read as
 * a big-endian number modulo 2^63 - 1.
 */
export function synthIdStart(keys: readonly number[]): bigint {
  const bytes = Buffer.alloc(8 * keys.length);
  keys.forEach((key, index) => {
    bytes.writeBigInt64LE(BigInt(key), 8 * index);
  });
  const digest = createHash('sha256').update(bytes).digest('hex');
  return BigInt(`0x${digest}`) % startModulus;
}

class MixedHash implements SynthIdHash {
  readonly name = 'synthid-deepmind';
  readonly layers: number;
  readonly #keys: Float64Array;
  readonly #start: WideHash;
  readonly #context: WideHash = { high: 0, low: 0 };
  readonly #pair: WideHash = { high: 0, low: 0 };
  readonly #layer: WideHash = { high: 0, low: 0 };

  constructor(keys: readonly number[]) {
    this.layers = keys.length;
    this.#keys = Float64Array.from(keys);
    const start = synthIdStart(keys);
    this.#start = {
      high: Number(start >> 32n) | 0,
      low: Number(BigInt.asIntN(32, start)),
    };
  }

  readContext(contexts: Int32Array, from: number, width: number): void {
    copy(this.#start, this.#context);
    for (let at = from; at < from + width; at++) fold(this.#context, contexts[at]!);
  }

  writeBits(token: number, into: Uint32Array, at: number): void {
    copy(this.#context, this.#pair);
    fold(this.#pair, token);
    const keys = this.#keys;
    for (let first = 0; first < keys.length; first += 32) {
      const end = Math.min(keys.length, first + 32);
      let word = 0;
      for (let layer = end - 1; layer >= first; layer--) {
        copy(this.#pair, this.#layer);
        fold(this.#layer, keys[layer]!);
        word = (word << 1) | mixedBit(this.#layer);
      }
      into[at + (first >>> 5)] = word;
    }
  }
}

function mixedBit(hash: WideHash): number {
  let { high, low } = hash;
  for (let round = 0; round < mixingSteps; round++) {
    low = (low + 1) | 0;
    if (low === 0) high = (high + 1) | 0;
    const product = Math.imul(low, multiplierLow);
    let upper =
      (highProduct(low, multiplierLow) +
        Math.imul(low, multiplierHigh) +
        Math.imul(high, multiplierLow)) |
      0;
    if (product === -1) upper = (upper + 1) | 0;
    low = ((product + 1) >>> shiftBits) | (upper << (32 - shiftBits));
    high = upper >> shiftBits;
  }
  return (low >>> chosenBit) & 1;
}

function copy(from: WideHash, to: WideHash): void {
  to.high = from.high;
  to.low = from.low;
}
