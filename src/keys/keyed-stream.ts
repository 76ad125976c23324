import { type Cipher, createCipheriv, createHmac } from 'node:crypto';
import { lengthPrefixed, requireKey, requireWellFormed } from './encoding.ts';

const chunkBytes = 8192;
const zeros = new Uint8Array(chunkBytes);
const bitDomain = lengthPrefixed('touchmark/v1/bit');

/**
 * A stream of pseudorandom numbers that only the holder of the key can foretell: the AES-256-CTR
 * keystream from counter zero under HMAC-SHA256(key, ("touchmark/v1/stream", domain)). The same
 * key, domain and order of calls give the same numbers on every machine; different domains are
 * independent.
 */
export class KeyedStream {
  readonly #cipher: Cipher;
  #chunk = Buffer.alloc(0);
  #position = 0;
  #spareNormal: number | undefined;

  /** @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes */
  constructor(key: Uint8Array, domain: string) {
    requireKey(key, 'stream key');
    requireWellFormed(domain, 'stream domain');
    const message = lengthPrefixed('touchmark/v1/stream', domain);
    const streamKey = createHmac('sha256', key).update(message).digest();
    this.#cipher = createCipheriv('aes-256-ctr', streamKey, new Uint8Array(16));
  }

  /** Returns the next four bytes as a little-endian whole number in [0, 2^32). */
  nextUint32(): number {
    if (this.#position + 4 > this.#chunk.length) this.#refill();
    const value = this.#chunk.readUInt32LE(this.#position);
    this.#position += 4;
    return value;
  }

  /** Returns a number in [0, 1), uniform on the multiples of 2^-53; takes eight bytes. */
  nextUniform(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Returns a standard normal number (Box and Muller 1958); every second call takes no bytes. */
  nextNormal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.nextUniform()));
    const angle = 2 * Math.PI * this.nextUniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Returns a fair sign: 1 when the lowest bit of the next uint32 is set, else -1. */
  nextSign(): 1 | -1 {
    return (this.nextUint32() & 1) === 1 ? 1 : -1;
  }

  /** Returns a copy of the next `count` bytes of the keystream. */
  bytes(count: number): Buffer {
    const result = Buffer.alloc(count);
    let filled = 0;
    while (filled < count) {
      if (this.#position === this.#chunk.length) this.#refill();
      const copied = this.#chunk.copy(result, filled, this.#position);
      this.#position += copied;
      filled += copied;
    }
    return result;
  }

  #refill(): void {
    const rest = this.#chunk.subarray(this.#position);
    const fresh = this.#cipher.update(zeros);
    this.#chunk = rest.length === 0 ? fresh : Buffer.concat([rest, fresh]);
    this.#position = 0;
  }
}

/**
 * Returns one fair bit of (key, message): the lowest bit of the first byte of
 * HMAC-SHA256(key, ("touchmark/v1/bit") || message). It is the per-query sign and the label coin.
 *
 * @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes
 */
export function keyedBit(key: Uint8Array, message: Uint8Array): 0 | 1 {
  requireKey(key, 'coin key');
  const digest = createHmac('sha256', key).update(bitDomain).update(message).digest();
  return (digest.readUInt8(0) & 1) === 1 ? 1 : 0;
}
