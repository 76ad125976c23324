import { type Cipher, createCipheriv } from 'node:crypto';
import { TouchmarkError } from '../../../errors.ts';
import { derivePurposeKey } from '../../../keys/derivation.ts';
import type { GreenSource, LeafSource, TextPrf, TokenPairs, UniformSource } from './prf.ts';

/** What the keystream of a context is read for; each has a stream of its own. */
export const domains = {
  green: 1,
  coarseUniform: 2,
  fineUniform: 3,
  leaves: 4,
  tenantCode: 64,
  layer: 65,
} as const;

const blockBytes = 16;
const pairsAtOnce = 4096;
const tokensInFirstBlock = 3;
const tokensInLaterBlock = 4;
const maximumPlanes = 16;
const maximumDepth = 32 * (domains.tenantCode - domains.leaves);

/**
 * Returns the project's own pseudorandom function: AES-256 in counter mode under a seed that is the
 * CBC-MAC, by another AES-256 key, of (domain, context). Both keys are derived from the epoch key.
 * It carries every scheme, for any token id, with 256-bit security and random access.
 *
 * CBC-MAC is pseudorandom here because the first block holds the length, so that no input is a
 * prefix of another (Petrank and Rackoff 2000, section 3). Streams of different contexts overlap
 * with probability below (contexts x blocks)^2 / 2^128.
 *
 * @param contextWidth tokens read before the marked one, 0 to 16
 * @throws TouchmarkError INPUT_INVALID for an epoch key that does not have 32 bytes, CONFIG_INVALID
 *   for a width, share or depth outside its range
 */
export function nativePrf(epochKey: Uint8Array, contextWidth: number): NativePrf {
  return new NativePrf(epochKey, contextWidth);
}

export class NativePrf implements TextPrf {
  readonly name = 'native';
  readonly context: { readonly width: number; readonly reads: 'sequence' };
  readonly #contexts: Cipher;
  readonly #keystream: Cipher;
  readonly #keystreamKey: Buffer;

  constructor(epochKey: Uint8Array, contextWidth: number) {
    requireRange('context width', contextWidth, 0, 16);
    this.context = { width: contextWidth, reads: 'sequence' };
    this.#contexts = blockCipher(derivePurposeKey(epochKey, 'text-contexts'));
    this.#keystreamKey = derivePurposeKey(epochKey, 'text-keystream');
    this.#keystream = blockCipher(this.#keystreamKey);
  }

  /** The share is rounded to a multiple of 2^-16. */
  green(share: number): NativeGreen {
    return new NativeGreen(this, share);
  }

  uniform(): UniformSource {
    return new NativeUniform(this);
  }

  leaf(depth: number): LeafSource {
    return new NativeLeaves(this, depth);
  }

  /** Returns the first `bytes` of the keystream of one context. */
  stream(domain: number, context: Int32Array, bytes: number): Buffer {
    const seed = this.#seeds(domain, context, this.context.width, 1);
    return createCipheriv('aes-256-ctr', this.#keystreamKey, seed).update(new Uint8Array(bytes));
  }

  /**
   * Returns one keystream block for each index: those of row i of the contexts, or of the one
   * context there is.
   */
  blocks(domain: number, contexts: Int32Array, indices: Int32Array): Buffer {
    const { width } = this.context;
    const one = contexts.length === width;
    const seeds = this.#seeds(domain, contexts, width, one ? 1 : indices.length);
    return this.#keystream.update(countersOf(seeds, indices));
  }

  #seeds(domain: number, contexts: Int32Array, width: number, count: number): Buffer {
    const state = new Int32Array(count * 4);
    firstBlocks(state, domain, contexts, width);
    let seeds = this.#contexts.update(bytesOf(state));
    for (let from = tokensInFirstBlock; from < width; from += tokensInLaterBlock) {
      laterBlocks(state, contexts, width, from);
      seeds = this.#contexts.update(xored(bytesOf(state), seeds));
    }
    return seeds;
  }
}

class NativeGreen implements GreenSource {
  readonly share: number;
  /** A token is green when its number of `planes` bits is below `threshold`. */
  readonly planes: number;
  readonly threshold: number;
  readonly #prf: NativePrf;

  constructor(prf: NativePrf, share: number) {
    this.#prf = prf;
    const { planes, threshold } = dyadic(share);
    this.planes = planes;
    this.threshold = threshold;
    this.share = threshold / 2 ** planes;
  }

  bits(pairs: TokenPairs): Uint8Array {
    const { planes, threshold } = this;
    const { width, count } = pairs;
    const below = new Uint8Array(count);
    for (let first = 0; first < count; first += pairsAtOnce) {
      const next = Math.min(count, first + pairsAtOnce);
      const contexts = pairs.contexts.subarray(first * width, next * width);
      const tokens = pairs.tokens.subarray(first, next);
      for (let plane = planes - 1; plane >= 0; plane--) {
        const blocks = this.#prf.blocks(
          domains.green,
          contexts,
          planeIndices(tokens, planes, plane),
        );
        const bit = (threshold >>> (planes - 1 - plane)) & 1;
        comparePlane(below, first, wordsOf(blocks), tokens, bit);
      }
    }
    return below;
  }

  list(context: Int32Array, vocabularySize: number): Uint8Array {
    const lanes = this.lanes(context, vocabularySize);
    const words = new Uint32Array(lanes.buffer, lanes.byteOffset, lanes.length / 4);
    return Uint8Array.from({ length: vocabularySize }, (_, token) => laneBit(words, token));
  }

  lanes(context: Int32Array, vocabularySize: number): Uint8Array {
    const planes = this.planeStream(context, vocabularySize);
    const words = new Uint32Array(planes.buffer, planes.byteOffset, planes.length / 4);
    return new Uint8Array(combinePlanes(words, this.planes, this.threshold).buffer);
  }

  /** The keystream that `lanes` combines: `planes` blocks of 16 bytes for 128 tokens. */
  planeStream(context: Int32Array, vocabularySize: number): Uint8Array {
    const bytes = Math.ceil(vocabularySize / 128) * this.planes * blockBytes;
    return aligned(this.#prf.stream(domains.green, context, bytes));
  }
}

export type { NativeGreen };

class NativeUniform implements UniformSource {
  readonly #prf: NativePrf;

  constructor(prf: NativePrf) {
    this.#prf = prf;
  }

  uniforms(pairs: TokenPairs): Float64Array {
    return this.#draw(pairs.contexts, pairs.tokens);
  }

  candidates(context: Int32Array, tokens: Int32Array): Float64Array {
    return this.#draw(context, tokens);
  }

  /** The highest eight bits of every token's number: byte t for token t. */
  coarse(context: Int32Array, vocabularySize: number): Uint8Array {
    return this.#prf.stream(domains.coarseUniform, context, vocabularySize);
  }

  #draw(contexts: Int32Array, tokens: Int32Array): Float64Array {
    const high = this.#prf.blocks(domains.coarseUniform, contexts, shifted(tokens, 4));
    const low = this.#prf.blocks(domains.fineUniform, contexts, shifted(tokens, 2));
    const result = new Float64Array(tokens.length);
    for (let row = 0; row < result.length; row++) {
      const token = tokens[row]!;
      const coarse = high[row * blockBytes + (token & 15)]!;
      const fine = low.readUInt32LE(row * blockBytes + 4 * (token & 3));
      result[row] = (coarse * 2 ** 32 + fine + 0.5) / 2 ** 40;
    }
    return result;
  }
}

export type { NativeUniform };

class NativeLeaves implements LeafSource {
  readonly depth: number;
  readonly words: number;
  readonly #prf: NativePrf;

  constructor(prf: NativePrf, depth: number) {
    requireRange('tournament depth', depth, 1, maximumDepth);
    this.depth = depth;
    this.words = Math.ceil(depth / 32);
    this.#prf = prf;
  }

  leaves(pairs: TokenPairs): Uint32Array {
    return this.candidates(pairs.contexts, pairs.tokens);
  }

  candidates(contexts: Int32Array, tokens: Int32Array): Uint32Array {
    const result = new Uint32Array(tokens.length * this.words);
    const indices = shifted(tokens, 2);
    for (let word = 0; word < this.words; word++) {
      const unused = Math.max(0, 32 * (word + 1) - this.depth);
      const blocks = this.#prf.blocks(domains.leaves + word, contexts, indices);
      for (let row = 0; row < tokens.length; row++) {
        const leaves = blocks.readUInt32LE(row * blockBytes + 4 * (tokens[row]! & 3));
        result[row * this.words + word] = leaves & (0xffffffff >>> unused);
      }
    }
    return result;
  }
}

/** Returns the lane layout's bit of a token. */
export function laneBit(words: Uint32Array, token: number): 0 | 1 {
  const word = words[(token >>> 7) * 4 + (token & 3)]!;
  return ((word << ((token & 127) >>> 2)) & 0x80000000) !== 0 ? 1 : 0;
}

function combinePlanes(words: Uint32Array, planes: number, threshold: number): Uint32Array {
  const lanes = new Uint32Array(words.length / planes);
  for (let lane = 0; lane < lanes.length; lane++) {
    const from = (lane >>> 2) * planes * 4 + (lane & 3);
    let below = 0;
    for (let plane = planes - 1; plane >= 0; plane--) {
      const bits = ~words[from + plane * 4]!;
      below = ((threshold >>> (planes - 1 - plane)) & 1) === 1 ? bits | below : bits & below;
    }
    lanes[lane] = below;
  }
  return lanes;
}

function comparePlane(
  below: Uint8Array,
  first: number,
  blocks: Int32Array,
  tokens: Int32Array,
  thresholdBit: number,
): void {
  for (let row = 0; row < tokens.length; row++) {
    const token = tokens[row]!;
    const clear = ~(blocks[4 * row + (token & 3)]! << ((token & 127) >>> 2)) >>> 31;
    const before = below[first + row]!;
    below[first + row] = thresholdBit === 1 ? clear | before : clear & before;
  }
}

/** The nearest multiple of 2^-16 as threshold / 2^planes, reduced. */
function dyadic(share: number): { readonly planes: number; readonly threshold: number } {
  let threshold = Math.round(share * 2 ** maximumPlanes);
  let planes = maximumPlanes;
  if (!(threshold >= 1 && threshold < 2 ** maximumPlanes)) {
    throw new TouchmarkError('CONFIG_INVALID', `A green list cannot have the share ${share}.`, {
      hint: 'Use a share (gamma) of at least 2^-16 and below 1, such as 0.25 or 0.5.',
    });
  }
  while (threshold % 2 === 0) {
    threshold /= 2;
    planes -= 1;
  }
  return { planes, threshold };
}

function firstBlocks(state: Int32Array, domain: number, contexts: Int32Array, width: number): void {
  const header = domain | (width << 16);
  const tokens = Math.min(width, tokensInFirstBlock);
  state.fill(-1);
  for (let row = 0, block = 0; block < state.length; row += width, block += 4) {
    state[block] = header;
    for (let token = 0; token < tokens; token++) state[block + 1 + token] = contexts[row + token]!;
  }
}

function laterBlocks(state: Int32Array, contexts: Int32Array, width: number, from: number): void {
  for (let row = 0, block = 0; block < state.length; row += width, block += 4) {
    for (let token = 0; token < tokensInLaterBlock; token++) {
      state[block + token] = from + token < width ? contexts[row + from + token]! : -1;
    }
  }
}

/** The 128-bit big-endian sums of seeds and indices below 2^31; one seed serves all. */
function countersOf(seeds: Buffer, indices: Int32Array): Buffer {
  const one = seeds.length === blockBytes;
  const from = wordsOf(seeds);
  const counters = new Int32Array(indices.length * 4);
  for (let row = 0; row < indices.length; row++) {
    const at = row * 4;
    const seed = one ? 0 : at;
    const low = swapped(from[seed + 3]!);
    const sum = (low + indices[row]!) | 0;
    counters[at] = from[seed]!;
    counters[at + 1] = from[seed + 1]!;
    counters[at + 2] = from[seed + 2]!;
    counters[at + 3] = swapped(sum);
    if (sum >>> 0 < low >>> 0) carry(counters, at);
  }
  return bytesOf(counters);
}

function carry(counters: Int32Array, block: number): void {
  for (let at = block + 2; at >= block; at--) {
    counters[at] = swapped((swapped(counters[at]!) + 1) | 0);
    if (counters[at] !== 0) return;
  }
}

/** The same four bytes in the other order. */
function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function planeIndices(tokens: Int32Array, planes: number, plane: number): Int32Array {
  const indices = new Int32Array(tokens.length);
  for (let row = 0; row < tokens.length; row++) {
    indices[row] = (tokens[row]! >>> 7) * planes + plane;
  }
  return indices;
}

function shifted(tokens: Int32Array, bits: number): Int32Array {
  const result = new Int32Array(tokens.length);
  for (let row = 0; row < tokens.length; row++) result[row] = tokens[row]! >>> bits;
  return result;
}

function xored(left: Buffer, right: Buffer): Buffer {
  for (let at = 0; at < left.length; at++) left[at] = left[at]! ^ right[at]!;
  return left;
}

function bytesOf(words: Int32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}

function aligned(bytes: Buffer): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
}

function wordsOf(bytes: Buffer): Int32Array {
  const { buffer, byteOffset, length } = aligned(bytes);
  return new Int32Array(buffer, byteOffset, length / 4);
}

function blockCipher(key: Uint8Array): Cipher {
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
}

function requireRange(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TouchmarkError('CONFIG_INVALID', `The ${what} is ${value}.`, {
    hint: `Use a whole number from ${least} to ${most}.`,
  });
}
