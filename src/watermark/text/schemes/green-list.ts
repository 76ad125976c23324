import { bernoulliLaw } from '../laws.ts';
import type { GreenSource, TokenPairs } from '../prfs/prf.ts';
import type { TextScheme } from './scheme.ts';

/**
 * The green list (Kirchenbauer et al. 2023, algorithm 2): after each context a keyed share gamma of
 * the vocabulary is green, and green logits rise by delta over the others. Here green logits gain
 * delta / 2 and the others lose it, which is the same to a softmax. A context of width 0 makes it
 * the fixed list of Zhao et al. (2023), which survives editing and fits into a `logit_bias`.
 *
 * Null: the text does not depend on the key; then the number of green tokens among distinct pairs is
 * Binomial(n, gamma). NaN and -Infinity stay what they are, and ids outside the vocabulary unmarked.
 */
export function greenListScheme(
  source: GreenSource,
  delta: number,
  vocabularySize: number,
): TextScheme {
  const half = Math.fround(delta / 2);
  return {
    law: bernoulliLaw(source.share),
    green: source,
    scores: (pairs: TokenPairs) => new Float64Array(source.bits(pairs)),
    mark: (logits, context) => {
      const size = Math.min(vocabularySize, logits.length);
      const green = source.listAmong?.(context, logits) ?? source.list(context, vocabularySize);
      addBias(logits, green, half, size);
    },
  };
}

function addBias(logits: Float32Array, green: Uint8Array, half: number, size: number): void {
  for (let token = 0; token < size; token++) {
    logits[token] = logits[token]! + (green[token] === 1 ? half : -half);
  }
}
