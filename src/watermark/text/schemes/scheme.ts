import type { TokenCandidates } from '../../../contracts.ts';
import type { ScoreLaw } from '../laws.ts';
import type { GreenSource, TokenPairs } from '../prfs/prf.ts';
import type { SignedTokens } from './biased-list.ts';

/** How one generation is marked. */
export interface GenerationOptions {
  /** Tokens of the prompt: they are never marked, and some stacks do not read them. */
  readonly promptLength: number;
  /** Divides the logits before the mark, above 0; 1 when the engine has divided already. */
  readonly temperature?: number;
  /** Candidates kept before the mark; all by default, or when the engine has cut already. */
  readonly topK?: number;
}

/** A way of marking tokens, over one pseudorandom function and key. */
export interface TextScheme {
  readonly law: ScoreLaw;
  /** What chooses the green tokens, for schemes that have some. */
  readonly green?: GreenSource;
  /** Tokens whose signs all their occurrences share, for schemes that are tested by them. */
  readonly signed?: SignedTokens;
  /** One score per pair, larger for marked tokens. */
  scores(pairs: TokenPairs): Float64Array;
  /**
   * Marks logits after one context, in place; without copying where they lie in the memory of a
   * kernel (`openTextKernel`).
   */
  mark(logits: Float32Array, context: Int32Array, options: GenerationOptions): void;
  /**
   * Marks the logits of candidates after one context, in place, as `mark` would if all other tokens
   * had the logit -Infinity; `topK` is not applied again. Token ids outside the vocabulary are left
   * unmarked by green lists, and are never chosen by the others.
   */
  markCandidates(
    candidates: TokenCandidates,
    context: Int32Array,
    options: GenerationOptions,
  ): void;
}
