import { domains, type NativePrf } from '../prfs/native.ts';
import type { GreenPlanes, GreenSource, TokenPairs } from '../prfs/prf.ts';

/** A green list that the kernel can apply. */
export type KernelGreen = GreenSource & Required<Pick<GreenSource, 'keystream'>>;

const wordsPerBlock = 4;
/** Tokens that share one draw: 2^7, a block of the lane layout. */
const tokenBlockBits = 7;

/**
 * Draws the keyed vectors h in F_2^bits of the linear tenant code: one for each context and block of
 * 128 token ids, from the common key's stream of its own domain.
 *
 * Blocks of the lane layout are flipped as a whole, and the code's stream is a quarter of the green
 * list's. The screen's test weighs draws and not pairs, so it is exact for any block; the fewer pairs
 * share a draw, the more it sees: in 20,000 tokens of an n-gram model at a context width of 2, blocks
 * of 128 reach 97% of the standard score that one draw per token would, blocks of 32 reach 99%, and
 * one draw per context 72%.
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
    const blocks = wordsOf(this.#prf.blocks(domains.tenantCode, contexts, indices));
    const draws = new Int32Array(count);
    for (let row = 0; row < count; row++) {
      const word = tokenBlockOf(tokens[row]!) & (wordsPerBlock - 1);
      draws[row] = blocks[row * wordsPerBlock + word]! & this.#mask;
    }
    return draws;
  }

  /** Returns the draws of the first blocks of the vocabulary after one context. */
  blockDraws(context: Int32Array, blocks: number): Int32Array {
    return this.words(context, blocks).map((word) => word & this.#mask);
  }

  /** Returns what `blockDraws` does, with arbitrary bits above those of the draws. */
  words(context: Int32Array, blocks: number): Int32Array {
    return wordsOf(this.#prf.stream(domains.tenantCode, context, 4 * blocks));
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
  readonly keystream: GreenPlanes;
  readonly #base: GreenSource;
  readonly #code: TenantCode;
  readonly #identifier: number;

  /**
   * @param base a native green list of share 1/2
   * @param identifier of as many bits as the code has
   */
  constructor(base: KernelGreen, code: TenantCode, identifier: number) {
    this.#base = base;
    this.#code = code;
    this.#identifier = identifier;
    const { keystream } = base;
    this.keystream = {
      ...keystream,
      stream: (context, vocabularySize) => {
        const draws = code.words(context, blocksOf(vocabularySize));
        return flippedBlocks(wordsOf(keystream.stream(context, vocabularySize)), draws, identifier);
      },
    };
  }

  bits(pairs: TokenPairs): Uint8Array {
    const bits = this.#base.bits(pairs);
    const draws = this.#code.draws(pairs);
    return bits.map((bit, row) => bit ^ parity(draws[row]! & this.#identifier));
  }

  list(context: Int32Array, vocabularySize: number): Uint8Array {
    const draws = this.#code.blockDraws(context, blocksOf(vocabularySize));
    const list = this.#base.list(context, vocabularySize);
    return list.map((bit, token) => bit ^ parity(draws[tokenBlockOf(token)]! & this.#identifier));
  }
}

function blocksOf(vocabularySize: number): number {
  return Math.ceil(vocabularySize / 2 ** tokenBlockBits);
}

/** The digits with those of every block inverted whose draw has an odd parity with the identifier. */
function flippedBlocks(digits: Int32Array, draws: Int32Array, identifier: number): Uint8Array {
  const flipped = new Int32Array(digits.length);
  for (let block = 0, at = 0; block < draws.length; block++, at += wordsPerBlock) {
    const flip = -parity(draws[block]! & identifier);
    flipped[at] = digits[at]! ^ flip;
    flipped[at + 1] = digits[at + 1]! ^ flip;
    flipped[at + 2] = digits[at + 2]! ^ flip;
    flipped[at + 3] = digits[at + 3]! ^ flip;
  }
  return new Uint8Array(flipped.buffer);
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(buffer, byteOffset, length / 4);
}
