import { domains, type NativePrf } from '../prfs/native.ts';
import type { GreenSource, TokenPairs } from '../prfs/prf.ts';

/** A green list that the kernel can apply. */
export type LaneSource = GreenSource & Required<Pick<GreenSource, 'lanes'>>;

const blockBytes = 16;
const wordsPerBlock = 4;
/** Tokens that share one draw: 2^7, a block of the lane layout. */
const tokenBlockBits = 7;

/**
 * Draws the keyed vectors h in F_2^bits of the linear tenant code: one for each context and block of
 * 128 token ids, from the common key's stream of its own domain.
 *
 * With one draw per context, all tokens after a frequent context would share a sign; with one per
 * token, `<identifier, h>` would cost as many bits as the mark. Any block is exact under the screen's
 * test, which weighs draws and not pairs; a block of the lane layout is flipped as a whole, and
 * the code's stream is a quarter of the green list's.
 */
export class TenantCode {
  readonly bits: number;
  readonly #prf: NativePrf;
  readonly #mask: number;

  constructor(prf: NativePrf, bits: number) {
    this.bits = bits;
    this.#prf = prf;
    this.#mask = 2 ** bits - 1;
  }

  /** Returns the draw of each pair. */
  draws(pairs: TokenPairs): Int32Array {
    const { count, contexts, tokens } = pairs;
    const indices = tokens.map((token) => token >>> (tokenBlockBits + 2));
    const blocks = this.#prf.blocks(domains.tenantCode, contexts, indices);
    const draws = new Int32Array(count);
    for (let row = 0; row < count; row++) {
      const word = tokenBlockOf(tokens[row]!) & (wordsPerBlock - 1);
      draws[row] = blocks.readUInt32LE(row * blockBytes + 4 * word) & this.#mask;
    }
    return draws;
  }

  /** Returns the draws of the blocks of a vocabulary after one context. */
  blockDraws(context: Int32Array, blocks: number): Int32Array {
    const stream = this.#prf.stream(domains.tenantCode, context, 4 * blocks);
    const draws = new Int32Array(blocks);
    for (let block = 0; block < blocks; block++) {
      draws[block] = stream.readUInt32LE(4 * block) & this.#mask;
    }
    return draws;
  }
}

/** The block of token ids that a token shares its draw with. */
export function tokenBlockOf(token: number): number {
  return token >>> tokenBlockBits;
}

/** Returns the parity of the ones of 32 bits. */
export function parity(word: number): 0 | 1 {
  let folded = word ^ (word >>> 16);
  folded ^= folded >>> 8;
  folded ^= folded >>> 4;
  return ((0x6996 >>> (folded & 15)) & 1) as 0 | 1;
}

/**
 * The green list of one tenant under the common key: a token is green when its base bit xor
 * `<identifier, h>` is 1. Each tenant's list alone is as good as the base's.
 */
export class CodedGreen implements GreenSource {
  readonly share = 0.5;
  readonly #base: LaneSource;
  readonly #code: TenantCode;
  readonly #identifier: number;

  /** @param base a native green list of share 1/2 */
  constructor(base: LaneSource, code: TenantCode, identifier: number) {
    this.#base = base;
    this.#code = code;
    this.#identifier = identifier;
  }

  bits(pairs: TokenPairs): Uint8Array {
    const bits = this.#base.bits(pairs);
    const draws = this.#code.draws(pairs);
    return bits.map((bit, row) => bit ^ parity(draws[row]! & this.#identifier));
  }

  list(context: Int32Array, vocabularySize: number): Uint8Array {
    const flips = this.#flips(context, vocabularySize);
    const list = this.#base.list(context, vocabularySize);
    return list.map((bit, token) => bit ^ (flips[tokenBlockOf(token)]! & 1));
  }

  lanes(context: Int32Array, vocabularySize: number): Uint8Array {
    const flips = this.#flips(context, vocabularySize);
    const lanes = new Uint8Array(this.#base.lanes(context, vocabularySize));
    const words = new Int32Array(lanes.buffer);
    for (let word = 0; word < words.length; word++) words[word]! ^= flips[word >>> 2]!;
    return lanes;
  }

  /** All ones for blocks that are flipped, else 0. */
  #flips(context: Int32Array, vocabularySize: number): Int32Array {
    const draws = this.#code.blockDraws(context, Math.ceil(vocabularySize / 2 ** tokenBlockBits));
    for (let block = 0; block < draws.length; block++) {
      draws[block] = -parity(draws[block]! & this.#identifier);
    }
    return draws;
  }
}
