import { type Cipher, createCipheriv, createHmac, hash } from 'node:crypto';
import { lengthPrefixed, requireKey, requireWellFormed } from './encoding.ts';

const blockBytes = 16;
const hashBlockBytes = 64;
const bigEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 0;
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
    this.#cipher = createCipheriv('aes-256-ctr', streamKey(key, domain), new Uint8Array(16));
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

/** The keystream of `KeyedStream`, read by the block wherever it lies. */
export class KeyedBlocks {
  readonly #cipher: Cipher;

  /** @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes */
  constructor(key: Uint8Array, domain: string) {
    this.#cipher = createCipheriv('aes-256-ecb', streamKey(key, domain), null);
    this.#cipher.setAutoPadding(false);
  }

  /**
   * Returns runs of the keystream one after the other, as 32-bit little-endian words: run i is the
   * `length` blocks of 16 bytes from block `length` * `numbers[i]` on.
   *
   * @param numbers below 2^32 / `length`
   */
  runs(numbers: Uint32Array, length: number): Uint32Array {
    const bytes = blockBytes * length * numbers.length;
    if (counters.byteLength < bytes) counters = new DataView(new ArrayBuffer(bytes));
    let at = blockBytes - 4;
    for (let run = 0; run < numbers.length; run += 1) {
      let block = numbers[run]! * length;
      for (const end = block + length; block < end; block += 1) {
        counters.setUint32(at, block);
        at += blockBytes;
      }
    }
    return wordsOf(this.#cipher.update(new Uint8Array(counters.buffer, 0, bytes)));
  }
}

/** Counter blocks, of whose 16 bytes only the last four are ever written. */
let counters = new DataView(new ArrayBuffer(0));

function wordsOf(bytes: Buffer): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  if (bigEndian) Buffer.from(aligned.buffer, aligned.byteOffset, aligned.length).swap32();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

function streamKey(key: Uint8Array, domain: string): Buffer {
  requireKey(key, 'stream key');
  requireWellFormed(domain, 'stream domain');
  const message = lengthPrefixed('touchmark/v1/stream', domain);
  return createHmac('sha256', key).update(message).digest();
}

/**
 * Returns one fair bit of (key, message): the lowest bit of the first byte of
 * HMAC-SHA256(key, ("touchmark/v1/bit") || message). It is the per-query sign and the label coin.
 *
 * @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes
 */
export function keyedBit(key: Uint8Array, message: Uint8Array): 0 | 1 {
  requireKey(key, 'coin key');
  const inner = Buffer.allocUnsafe(hashBlockBytes + bitDomain.length + message.length);
  writePad(inner, key, 0x36);
  inner.set(bitDomain, hashBlockBytes);
  inner.set(message, hashBlockBytes + bitDomain.length);
  const outer = Buffer.allocUnsafe(hashBlockBytes + 32);
  writePad(outer, key, 0x5c);
  outer.write(hash('sha256', inner, 'binary'), hashBlockBytes, 'binary');
  return (hash('sha256', outer, 'binary').charCodeAt(0) & 1) === 1 ? 1 : 0;
}

/** The first block of either hash of HMAC (RFC 2104): two whole hashes cost less than an Hmac. */
function writePad(block: Buffer, key: Uint8Array, pad: number): void {
  for (let index = 0; index < key.length; index += 1) block[index] = key[index]! ^ pad;
  block.fill(pad, key.length, hashBlockBytes);
}
