import { createHash } from 'node:crypto';
import { TouchmarkError } from '../../../errors.ts';
import { philox } from './philox.ts';
import type {
  ContextRule,
  GreenSource,
  LeafSource,
  TextPrf,
  TokenPairs,
  UniformSource,
} from './prf.ts';

const contextDomain = 0x574d4358;
const tokenDomain = 0x574d544b;
const blockTokens = 4;
const keyLimit = 2n ** 64n;
const mantissas = 2 ** 24;
/** vLLM looks for a repeated context among so many positions before. */
const contextHistory = 8192;

/** What vLLM's `WatermarkConfig` sets beside the key. */
export interface VllmSettings {
  readonly contextWidth: number;
  /** It searches prompts for contexts too (`deduplicate_contexts: all`), and does not pad. */
  readonly searchesPrompt: boolean;
}

/**
 * Returns the Philox function of vLLM's text watermark: a word of 32 bits for each (context, token),
 * the context being the last `contextWidth` output tokens, padded with -1. It carries Gumbel-max by
 * the uniform numbers that vLLM makes of the words, green lists (u < gamma), and tournaments (bits of
 * the words, of stream w for layers 32 w to 32 w + 31); vLLM itself reads Gumbel-max only.
 *
 * Philox is no cryptographic function: detection is exact under an ideal one. The numbers have 24
 * bits; over them the mean of -ln(1 - u) is 5e-7 below that of a continuous u.
 *
 * @param key 0 to 2^64 - 1
 * @throws TouchmarkError CONFIG_INVALID for a key outside that range
 */
export function vllmPhiloxPrf(key: bigint, settings: VllmSettings): TextPrf {
  const words = new PhiloxWords(requireKey(key), settings.contextWidth);
  return {
    name: 'vllm-philox',
    context: contextRule(settings),
    green: (share) => greenSource(words, share),
    uniform: () => uniformSource(words),
    leaf: (depth) => leafSource(words, depth),
  };
}

/**
 * Returns the two functions of vLLM's `dual_key_gumbel`, for speculative decoding: `uniform` is key
 * A's, which the draft model and most tokens use, `secondUniform` key B's.
 *
 * @throws TouchmarkError CONFIG_INVALID for a key outside 0 to 2^64 - 1
 */
export function vllmDualPhiloxPrf(key: bigint, settings: VllmSettings): TextPrf {
  const { a, b } = vllmDerivedKeys(key);
  const { contextWidth } = settings;
  return {
    name: 'vllm-philox',
    context: contextRule(settings),
    green: () => {
      throw dualCarriesGumbelOnly('green lists');
    },
    leaf: () => {
      throw dualCarriesGumbelOnly('a tournament');
    },
    uniform: () => uniformSource(new PhiloxWords(a, contextWidth)),
    secondUniform: () => uniformSource(new PhiloxWords(b, contextWidth)),
  };
}

/**
 * Returns vLLM's keys A and B: the first eight bytes, big-endian, of the SHA-256 of `key_a` or
 * `key_b` and the key as eight big-endian bytes.
 */
export function vllmDerivedKeys(key: bigint): { readonly a: bigint; readonly b: bigint } {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(requireKey(key));
  const derive = (domain: string): bigint =>
    createHash('sha256').update(domain).update(bytes).digest().readBigUInt64BE();
  return { a: derive('key_a'), b: derive('key_b') };
}

/** The words of one key. */
class PhiloxWords {
  readonly #low: number;
  readonly #high: number;
  readonly #width: number;
  readonly #state = new Int32Array(4);
  readonly #block = new Int32Array(4);

  constructor(key: bigint, width: number) {
    this.#low = Number(BigInt.asIntN(32, key));
    this.#high = Number(BigInt.asIntN(32, key >> 32n));
    this.#width = width;
  }

  ofPairs(pairs: TokenPairs, stream: number): Uint32Array {
    const { count, width, contexts, tokens } = pairs;
    const words = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      this.#readContext(contexts, row * width);
      this.#drawBlock(tokens[row]! >>> 2, stream);
      words[row] = this.#block[tokens[row]! & 3]!;
    }
    return words;
  }

  /** Four tokens in a row share a block. */
  ofCandidates(context: Int32Array, tokens: Int32Array, stream: number): Uint32Array {
    const words = new Uint32Array(tokens.length);
    this.#readContext(context, 0);
    let drawn = -1;
    for (let row = 0; row < tokens.length; row++) {
      const token = tokens[row]!;
      if (token >>> 2 !== drawn) {
        drawn = token >>> 2;
        this.#drawBlock(drawn, stream);
      }
      words[row] = this.#block[token & 3]!;
    }
    return words;
  }

  #readContext(contexts: Int32Array, from: number): void {
    const state = this.#state;
    const width = this.#width;
    state[0] = contextDomain;
    state[1] = width;
    state[2] = 0;
    state[3] = 0;
    for (let offset = 0; offset < width; offset += blockTokens) {
      for (let index = 0; index < blockTokens; index++) {
        const at = offset + index;
        state[index] = state[index]! ^ (at < width ? contexts[from + at]! : -1 - index);
      }
      philox(state, this.#low ^ offset, this.#high);
    }
  }

  #drawBlock(group: number, stream: number): void {
    const state = this.#state;
    const block = this.#block;
    block[0] = group;
    block[1] = state[0]!;
    block[2] = state[1]!;
    block[3] = state[2]!;
    philox(block, this.#low ^ state[3]!, this.#high ^ tokenDomain ^ stream);
  }
}

function uniformSource(words: PhiloxWords): UniformSource {
  return {
    uniforms: (pairs) => Float64Array.from(words.ofPairs(pairs, 0), uniformOf),
    candidates: (context, tokens) =>
      Float64Array.from(words.ofCandidates(context, tokens, 0), uniformOf),
  };
}

function greenSource(words: PhiloxWords, share: number): GreenSource {
  const greenMantissas = mantissasBelow(share);
  const isGreen = (word: number): number => (word >>> 8 < greenMantissas ? 1 : 0);
  if (greenMantissas === 0) {
    throw new TouchmarkError('CONFIG_INVALID', `No number of vllm-philox is below ${share}.`, {
      hint: 'Use a share (gamma) of at least 2^-16, such as 0.25 or 0.5.',
    });
  }
  return {
    share: greenMantissas / mantissas,
    bits: (pairs) => Uint8Array.from(words.ofPairs(pairs, 0), isGreen),
    list: (context, vocabularySize) => {
      const tokens = Int32Array.from({ length: vocabularySize }, (_, token) => token);
      return Uint8Array.from(words.ofCandidates(context, tokens, 0), isGreen);
    },
  };
}

function leafSource(words: PhiloxWords, depth: number): LeafSource {
  const streams = Math.ceil(depth / 32);
  const gather = (count: number, draw: (stream: number) => Uint32Array): Uint32Array => {
    const leaves = new Uint32Array(count * streams);
    for (let stream = 0; stream < streams; stream++) {
      const used = 0xffffffff >>> Math.max(0, 32 * (stream + 1) - depth);
      draw(stream).forEach((word, row) => {
        leaves[row * streams + stream] = word & used;
      });
    }
    return leaves;
  };
  return {
    depth,
    words: streams,
    leaves: (pairs) => gather(pairs.count, (stream) => words.ofPairs(pairs, stream)),
    candidates: (context, tokens) =>
      gather(tokens.length, (stream) => words.ofCandidates(context, tokens, stream)),
  };
}

/** vLLM's uniform number of a word: float32((word >> 8) + 1) / (2^24 + 1)). */
function uniformOf(word: number): number {
  return Math.fround(((word >>> 8) + 1) / (mantissas + 1));
}

/** How many of the 2^24 uniform numbers are below a share; they rise with the mantissa. */
function mantissasBelow(share: number): number {
  let below = 0;
  let notBelow = mantissas;
  while (below < notBelow) {
    const middle = (below + notBelow) >>> 1;
    if (uniformOf(middle * 256) < share) below = middle + 1;
    else notBelow = middle;
  }
  return below;
}

function contextRule({ contextWidth: width, searchesPrompt }: VllmSettings): ContextRule {
  const rule = { width, reads: 'output', remembers: contextHistory } as const;
  return searchesPrompt ? rule : { ...rule, padding: -1 };
}

function requireKey(key: bigint): bigint {
  if (key >= 0n && key < keyLimit) return key;
  throw new TouchmarkError('CONFIG_INVALID', 'A vllm-philox key is outside its range.', {
    hint: 'Give a whole number from 0 to 2^64 - 1.',
  });
}

function dualCarriesGumbelOnly(what: string): TouchmarkError {
  return new TouchmarkError('CONFIG_INVALID', `The dual key of vllm-philox cannot carry ${what}.`, {
    hint: 'It carries gumbel; set keys to "single" for green lists and tournaments.',
  });
}
