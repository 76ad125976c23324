import { TouchmarkError } from '../../../errors.ts';
import type { ContextRule, GreenSource, LeafSource, TextPrf, TokenPairs } from './prf.ts';

/** SynthID leaves a context unmarked that occurred in as many steps before. */
const contextHistory = 1024;

/** One of the hashes of SynthID-Text, under its keys. */
export interface SynthIdHash {
  readonly name: 'synthid-hf' | 'synthid-deepmind';
  /** One key for each layer of the tournament. */
  readonly layers: number;
  /** Reads the `width` tokens from `from` on; the bits that follow are those of this context. */
  readContext(contexts: Int32Array, from: number, width: number): void;
  /** Writes the layers' bits of a token into words of 32, layer 0 in the lowest bit of the first. */
  writeBits(token: number, into: Uint32Array, at: number): void;
  effectiveInputs?: TextPrf['effectiveInputs'];
}

/**
 * Returns the function of a SynthID-Text hash: the bit g of (context, token, layer). Its context is
 * the last ngramLength - 1 generated tokens, zero padded; the prompt never enters. It carries the
 * tournament with a layer per key, and green lists of share 1/2 by the first layer's bit; the other
 * stack reads the tournament only.
 *
 * @param ngramLength tokens of context and the token itself
 */
export function synthIdPrf(hash: SynthIdHash, ngramLength: number): TextPrf {
  const context: ContextRule = {
    width: ngramLength - 1,
    reads: 'output',
    padding: 0,
    remembers: contextHistory,
  };
  return {
    name: hash.name,
    context,
    green: (share) => greenSource(hash, context, share),
    uniform: () => {
      throw cannotCarry(hash, 'gumbel');
    },
    leaf: (depth) => leafSource(hash, context, depth),
    ...(hash.effectiveInputs && {
      effectiveInputs: hash.effectiveInputs,
      inputHoldsToken: true,
    }),
  };
}

function leafSource(hash: SynthIdHash, { width }: ContextRule, depth: number): LeafSource {
  if (depth !== hash.layers) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `The tournament has ${depth} layers, but the ${hash.name} key has ${hash.layers} numbers.`,
      { hint: 'Set the depth to the number of keys: each layer has one.' },
    );
  }
  const words = Math.ceil(depth / 32);
  return {
    depth,
    words,
    leaves: (pairs) => pairBits(hash, pairs, words),
    candidates: (context, tokens) => {
      const result = new Uint32Array(tokens.length * words);
      hash.readContext(context, 0, width);
      for (let row = 0; row < tokens.length; row++) {
        hash.writeBits(tokens[row]!, result, row * words);
      }
      return result;
    },
  };
}

function greenSource(hash: SynthIdHash, { width }: ContextRule, share: number): GreenSource {
  if (share !== 0.5) throw cannotCarry(hash, `green lists of share ${share}`);
  const words = Math.ceil(hash.layers / 32);
  return {
    share,
    bits: (pairs) => {
      const leaves = pairBits(hash, pairs, words);
      return Uint8Array.from({ length: pairs.count }, (_, row) => leaves[row * words]! & 1);
    },
    list: (context, vocabularySize) => {
      const leaves = new Uint32Array(words);
      hash.readContext(context, 0, width);
      return Uint8Array.from({ length: vocabularySize }, (_, token) => {
        hash.writeBits(token, leaves, 0);
        return leaves[0]! & 1;
      });
    },
  };
}

function pairBits(hash: SynthIdHash, pairs: TokenPairs, words: number): Uint32Array {
  const { count, width, contexts, tokens } = pairs;
  const result = new Uint32Array(count * words);
  for (let row = 0; row < count; row++) {
    hash.readContext(contexts, row * width, width);
    hash.writeBits(tokens[row]!, result, row * words);
  }
  return result;
}

function cannotCarry(hash: SynthIdHash, what: string): TouchmarkError {
  return new TouchmarkError('CONFIG_INVALID', `${hash.name} cannot carry ${what}.`, {
    hint: `It carries a tournament of depth ${hash.layers} and green-list with gamma 0.5.`,
  });
}
