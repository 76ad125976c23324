import { type Cipher, createCipheriv } from 'node:crypto';
import { TouchmarkError } from '../../../errors.ts';
import { derivePurposeKey } from '../../../keys/derivation.ts';
import { consecutiveCounters, writeCounters } from '../kernel/counters.ts';
import { greenLanes, laneBit } from '../kernel/plain-kernel.ts';
import {
  addLaterBlocks,
  comparePlane,
  identityRows,
  readUniforms,
  shifted,
  tokensInFirstBlock,
  tokensInLaterBlock,
  writeCountersAt,
  writeFirstBlocks,
  writePlaneNumbers,
} from './native-rows.ts';
import type {
  GreenPlanes,
  GreenSource,
  LeafSource,
  TextPrf,
  TokenPairs,
  UniformSource,
} from './prf.ts';

/** What the keystream of a context is read for; each has a stream of its own. */
export const domains = {
  green: 1,
  coarseUniform: 2,
  fineUniform: 3,
  leaves: 4,
  tenantCode: 64,
  layer: 65,
} as const;

const uniformDomains = [domains.coarseUniform, domains.fineUniform];
const blockBytes = 16;
const pairsAtOnce = 2048;
const maximumPlanes = 16;
const maximumDepth = 32 * (domains.tenantCode - domains.leaves);

/**
 * Returns the project's own pseudorandom function: AES-256 in counter mode from a seed that is the
 * CBC-MAC, by another AES-256 key, of (domain, context); block i encrypts the seed with i, as a
 * little-endian word, xored into its last four bytes. Both keys are derived from the epoch key. It
 * carries every scheme, for any token id, with 256-bit security and random access.
 *
 * CBC-MAC is pseudorandom here because the first block holds the length, so that no input is a
 * prefix of another (Petrank and Rackoff 2000, section 3). Streams of different contexts overlap
 * with probability below contexts^2 x blocks / 2^128.
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

  constructor(epochKey: Uint8Array, contextWidth: number) {
    requireRange('context width', contextWidth, 0, 16);
    this.context = { width: contextWidth, reads: 'sequence' };
    this.#contexts = blockCipher(derivePurposeKey(epochKey, 'text-contexts'));
    this.#keystream = blockCipher(derivePurposeKey(epochKey, 'text-keystream'));
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
    const seed = this.#seeds([domain], context, 1);
    const counters = consecutiveCounters(wordsOf(seed), Math.ceil(bytes / blockBytes));
    const stream = this.#keystream.update(counters);
    return stream.length === bytes ? stream : stream.subarray(0, bytes);
  }

  /**
   * Returns one keystream block for each index: those of row i of the contexts, or of the one
   * context there is.
   */
  blocks(domain: number, contexts: Int32Array, indices: Int32Array): Buffer {
    return this.blocksOf([domain], contexts, [indices]);
  }

  /**
   * Returns what `blocks` returns for each of several lists of indices, one after another; as many
   * lists follow each other for every domain.
   */
  blocksOf(domains: readonly number[], contexts: Int32Array, lists: readonly Int32Array[]): Buffer {
    const count = lists[0]!.length;
    const rows = contexts.length === this.context.width ? 1 : count;
    const seeds = wordsOf(this.#seeds(domains, contexts, rows));
    const listsPerDomain = lists.length / domains.length;
    const seedStep = rows === 1 ? 0 : 4;
    const counters = new Int32Array(4 * count * lists.length);
    for (let list = 0; list < lists.length; list++) {
      const from = 4 * rows * Math.floor(list / listsPerDomain);
      writeCounters(counters, 4 * list * count, seeds, from, seedStep, lists[list]!);
    }
    return this.#keystream.update(counters);
  }

  /** Returns the seeds of rows of contexts, four words each. */
  seeds(domain: number, contexts: Int32Array, count: number): Int32Array {
    return wordsOf(this.#seeds([domain], contexts, count));
  }

  /** Returns one keystream block for some rows of seeds: of row r the block `numbers[i]`, r = rows[i]. */
  blocksAt(seeds: Int32Array, rows: Int32Array, numbers: Int32Array): Buffer {
    const counters = new Int32Array(4 * rows.length);
    writeCountersAt(counters, seeds, rows, numbers);
    return this.#keystream.update(counters);
  }

  #seeds(domains: readonly number[], contexts: Int32Array, count: number): Buffer {
    const { width } = this.context;
    const state = new Int32Array(4 * count * domains.length);
    for (let each = 0; each < domains.length; each++) {
      writeFirstBlocks(state, 4 * each * count, domains[each]!, contexts, width, count);
    }
    let seeds = this.#contexts.update(state);
    for (let from = tokensInFirstBlock; from < width; from += tokensInLaterBlock) {
      const chained = wordsOf(seeds);
      for (let each = 0; each < domains.length; each++) {
        addLaterBlocks(chained, 4 * each * count, contexts, width, from, count);
      }
      seeds = this.#contexts.update(chained);
    }
    return seeds;
  }
}

class NativeGreen implements GreenSource {
  readonly share: number;
  readonly keystream: GreenPlanes;
  readonly #prf: NativePrf;

  constructor(prf: NativePrf, share: number) {
    this.#prf = prf;
    const { planes, threshold } = dyadic(share);
    this.keystream = {
      count: planes,
      threshold,
      stream: (context, vocabularySize) => {
        const bytes = Math.ceil(vocabularySize / 128) * planes * blockBytes;
        const { buffer, byteOffset } = prf.stream(domains.green, context, bytes);
        return new Uint8Array(buffer, byteOffset, bytes);
      },
    };
    this.share = threshold / 2 ** planes;
  }

  bits(pairs: TokenPairs): Uint8Array {
    const { width, count } = pairs;
    const below = new Uint8Array(count);
    for (let first = 0; first < count; first += pairsAtOnce) {
      const next = Math.min(count, first + pairsAtOnce);
      const contexts = pairs.contexts.subarray(first * width, next * width);
      const tokens = pairs.tokens.subarray(first, next);
      this.#compare(contexts, tokens, below.subarray(first, next));
    }
    return below;
  }

  /** Draws the next digit only of the numbers whose digits so far are those of the threshold. */
  #compare(contexts: Int32Array, tokens: Int32Array, below: Uint8Array): void {
    const { count: planes, threshold } = this.keystream;
    const seeds = this.#prf.seeds(domains.green, contexts, tokens.length);
    const open = identityRows(tokens.length);
    const numbers = new Int32Array(tokens.length);
    let left = tokens.length;
    for (let plane = 0; plane < planes && left > 0; plane++) {
      const rows = open.subarray(0, left);
      writePlaneNumbers(numbers, tokens, rows, planes, plane);
      const blocks = this.#prf.blocksAt(seeds, rows, numbers);
      const digit = (threshold >>> (planes - 1 - plane)) & 1;
      left = comparePlane(below, open, left, wordsOf(blocks), tokens, digit);
    }
  }

  list(context: Int32Array, vocabularySize: number): Uint8Array {
    const lanes = greenLanes(this.keystream, this.keystream.stream(context, vocabularySize));
    const list = new Uint8Array(vocabularySize);
    for (let token = 0; token < vocabularySize; token++) list[token] = laneBit(lanes, token);
    return list;
  }

  lanes(context: Int32Array, vocabularySize: number): Uint8Array {
    const lanes = greenLanes(this.keystream, this.keystream.stream(context, vocabularySize));
    return new Uint8Array(lanes.buffer);
  }
}

export { laneBit, type NativeGreen };

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
    const result = new Float64Array(tokens.length);
    const width = contexts.length === this.#prf.context.width ? 0 : this.#prf.context.width;
    for (let first = 0; first < tokens.length; first += pairsAtOnce) {
      const next = Math.min(tokens.length, first + pairsAtOnce);
      const some = tokens.subarray(first, next);
      const blocks = this.#prf.blocksOf(
        uniformDomains,
        width === 0 ? contexts : contexts.subarray(first * width, next * width),
        [shifted(some, 4), shifted(some, 2)],
      );
      readUniforms(result, first, wordsOf(blocks), some);
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
      const blocks = wordsOf(this.#prf.blocks(domains.leaves + word, contexts, indices));
      for (let row = 0; row < tokens.length; row++) {
        const leaves = blocks[4 * row + (tokens[row]! & 3)]!;
        result[row * this.words + word] = leaves & (0xffffffff >>> unused);
      }
    }
    return result;
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

function wordsOf(bytes: Buffer): Int32Array {
  const { buffer, byteOffset, length } =
    bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
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
