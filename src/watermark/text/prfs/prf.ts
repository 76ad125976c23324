/** What a pseudorandom function of (key, context, token) gives to the schemes that run over it. */

/**
 * Positions of texts that are scored together: row i is the token and the `width` tokens of its
 * context, oldest first. A pseudorandom function reads nothing else.
 */
export interface TokenPairs {
  readonly count: number;
  /** Tokens per context; 0 for a scheme that reads none. */
  readonly width: number;
  /** count x width token ids, row-major. */
  readonly contexts: Int32Array;
  readonly tokens: Int32Array;
}

/** Which tokens are the context of the token that follows them. */
export interface ContextRule {
  readonly width: number;
  /** `sequence`: prompt and output; `output`: generated tokens only, the prompt never enters. */
  readonly reads: 'sequence' | 'output';
  /** Stands for tokens before the beginning; without it such positions are left unmarked. */
  readonly padding?: number;
  /** Positions before this index of what is read are not marked; the width unless said otherwise. */
  readonly unmarkedBefore?: number;
  /** Steps after which a context that occurred is marked again; without it never. */
  readonly remembers?: number;
}

/** Chooses the green part of the vocabulary after each context. */
export interface GreenSource {
  /** The exact probability, over keys, that a token is green. */
  readonly share: number;
  /** Every list has the same number of green tokens, so that its members are not independent. */
  readonly fixedSize?: boolean;
  /** Returns 1 for every pair whose token is green after its context, else 0. */
  bits(pairs: TokenPairs): Uint8Array;
  /** Returns 1 for every token id below `vocabularySize` that is green after the context. */
  list(context: Int32Array, vocabularySize: number): Uint8Array;
  /** Returns the list that marks these logits, for functions that try the likeliest tokens only. */
  listAmong?(context: Int32Array, logits: Float32Array): Uint8Array;
  /**
   * Returns the same choice as bits in the kernel's lane layout: one 16-byte block for 128 tokens,
   * 1 for green. Only for functions whose bits are made that way.
   */
  lanes?(context: Int32Array, vocabularySize: number): Uint8Array;
  /** What the kernel combines into lanes by itself, which is faster. */
  readonly keystream?: GreenPlanes;
}

/**
 * Green lists as binary numbers, one per token: green is what lies below the threshold.
 *
 * Blocks of 16 bytes hold one digit of 128 tokens: bit 7 - j of byte i is that of token 16 j + i. The
 * digits of the same tokens follow each other, highest first.
 */
export interface GreenPlanes {
  /** Digits per token, 1 to 16. */
  readonly count: number;
  readonly threshold: number;
  /** Returns ceil(vocabularySize / 128) x count blocks. */
  stream(context: Int32Array, vocabularySize: number): Uint8Array;
}

/** Draws a number in (0, 1) for each token after each context. */
export interface UniformSource {
  uniforms(pairs: TokenPairs): Float64Array;
  /** The numbers of some candidates after one context. */
  candidates(context: Int32Array, tokens: Int32Array): Float64Array;
  /**
   * Returns the highest eight bits of every token's number, byte t for token t, for functions whose
   * numbers are (b + v) / 256 with such a byte b and v from 2^-33 to 1 - 2^-33.
   */
  coarse?(context: Int32Array, vocabularySize: number): Uint8Array;
}

/** Draws fair bits, one per tournament layer, for each token after each context. */
export interface LeafSource {
  readonly depth: number;
  /** Words of 32 bits that hold the layers of one token, layer 0 in the lowest bit of word 0. */
  readonly words: number;
  /** count x words, row-major. */
  leaves(pairs: TokenPairs): Uint32Array;
  /** candidates x words, row-major. */
  candidates(context: Int32Array, tokens: Int32Array): Uint32Array;
}

/** What a function really reads of some pairs. */
export interface EffectiveInputs {
  readonly width: number;
  /** count x width, row-major. */
  readonly rows: Int32Array;
  /** What tells draws of one row apart; the pairs' tokens unless said otherwise. */
  readonly tokens?: Int32Array;
}

/**
 * A keyed pseudorandom function as one serving stack defines it. The sources that it lacks are
 * those that it cannot carry; asking for one throws CONFIG_INVALID.
 */
export interface TextPrf {
  readonly name: string;
  readonly context: ContextRule;
  /** The largest vocabulary that it is defined for; absent when any token id below 2^31 will do. */
  readonly vocabularySize?: number;
  green(share: number): GreenSource;
  uniform(): UniformSource;
  leaf(depth: number): LeafSource;
  /** The numbers under the second key, for functions that have two. */
  secondUniform?(): UniformSource;
  /**
   * Rows of int32 that are equal exactly when the function reads the same input; pairs that agree
   * in them and in the token are one draw. Absent when the whole context is read.
   */
  effectiveInputs?(pairs: TokenPairs): EffectiveInputs;
  /** The marked token is part of that input, so that contexts do not tell draws apart. */
  readonly inputHoldsToken?: boolean;
}
