import type { TokenCandidates } from '../../../contracts.ts';
import type { GreenSource } from '../prfs/prf.ts';
import type { BiasedToken } from '../profile.ts';
import { greenListScheme } from './green-list.ts';
import type { TextScheme } from './scheme.ts';

/** Tokens with a keyed fair sign each, the same at every step. */
export interface SignedTokens {
  /** Token ids, most telling first. */
  readonly tokens: Int32Array;
  /** What share of the owner's unmarked output each of them is; fixed without the key. */
  readonly expected: Float64Array;
  /** +1 for tokens that gain, -1 for those that lose. */
  readonly signs: Int8Array;
}

/**
 * A short list of tokens whose logits gain or lose `bias` by a keyed fair sign each, at every step:
 * what an API's `logit_bias` can carry. Both signs carry the mark, so that no entry is spent on
 * saying nothing.
 *
 * Null: the text does not depend on the key. Then the signs are fair and independent whatever the
 * text is; `SignedCounts` tests their weighted sum. The scores of single pairs are the signs as
 * bits, of all tokens, listed or not: a lawful test too, with next to no power.
 */
export function biasedListScheme(
  source: GreenSource,
  { bias, tokens: listed }: { readonly bias: number; readonly tokens: readonly BiasedToken[] },
  vocabularySize: number,
): TextScheme {
  const signed = signTokens(source, listed);
  const biasOf = new Map<number, number>();
  for (const [index, token] of signed.tokens.entries()) {
    biasOf.set(token, bias * signed.signs[index]!);
  }
  const { law, scores } = greenListScheme(source, 2 * bias, vocabularySize);
  return {
    law,
    scores,
    green: source,
    signed,
    mark: (logits) => {
      for (const [token, gain] of biasOf) {
        if (token < logits.length) logits[token] = logits[token]! + gain;
      }
    },
    markCandidates: ({ tokens, logits }: TokenCandidates) => {
      for (let index = 0; index < tokens.length; index++) {
        logits[index] = logits[index]! + (biasOf.get(tokens[index]!) ?? 0);
      }
    },
  };
}

function signTokens(source: GreenSource, listed: readonly BiasedToken[]): SignedTokens {
  const tokens = Int32Array.from(listed, ({ id }) => id);
  const pairs = { count: tokens.length, width: 0, contexts: new Int32Array(0), tokens };
  return {
    tokens,
    expected: Float64Array.from(listed, ({ expected }) => expected),
    signs: Int8Array.from(source.bits(pairs), (bit) => 2 * bit - 1),
  };
}
