import { log10MixedGammaUpperTail } from '../../../stats/tails/mixed-gamma.ts';
import type { ScoreLaw } from '../laws.ts';
import type { TokenPairs, UniformSource } from '../prfs/prf.ts';
import { candidatesOf, possibleCandidates, writeCandidates, writePossible } from './candidates.ts';
import { perturbedArgMax } from './gumbel.ts';
import type { TextScheme } from './scheme.ts';

const slopes = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * Gumbel-max under two keys, as vLLM marks for speculative decoding (Dathathri et al. 2024,
 * supplementary algorithm 6): a token is key A's arg-max with probability 1 - alpha and key B's with
 * probability alpha. The score is (1 - alpha) a + alpha b with a, b = -ln(1 - u) under each key.
 *
 * Null: the text does not depend on the keys; then a and b are independent and standard exponential,
 * and the tail of the weighted sum is exact. The marked logits are log(1 - alpha) and log alpha for
 * the two tokens, to be sampled at temperature 1, and -Infinity for all others.
 *
 * @param alpha the weight of key B, from 0.001 to 0.999
 */
export function dualGumbelScheme(
  first: UniformSource,
  second: UniformSource,
  alpha: number,
  vocabularySize: number,
): TextScheme {
  const play = (tokens: Int32Array, logits: Float64Array, context: Int32Array) => {
    const a = perturbedArgMax(logits, first.candidates(context, tokens));
    const b = perturbedArgMax(logits, second.candidates(context, tokens));
    return a === b
      ? { winners: Int32Array.of(a), shares: [0] }
      : { winners: Int32Array.of(a, b), shares: [Math.log1p(-alpha), Math.log(alpha)] };
  };
  return {
    law: mixedExponentialLaw(alpha),
    scores: (pairs: TokenPairs) => {
      const b = second.uniforms(pairs);
      return first
        .uniforms(pairs)
        .map((a, row) => -(1 - alpha) * Math.log1p(-a) - alpha * Math.log1p(-b[row]!));
    },
    mark: (logits, context, options) => {
      const { tokens, logits: values } = candidatesOf(logits, vocabularySize, options);
      if (tokens.length === 0) return;
      const { winners, shares } = play(tokens, values, context);
      writeCandidates(
        logits,
        winners.map((winner) => tokens[winner]!),
        shares,
      );
    },
    markCandidates: (candidates, context, options) => {
      const possible = possibleCandidates(candidates, vocabularySize, options);
      const { tokens, logits } = possible;
      if (tokens.length === 0) return;
      const { winners, shares } = play(tokens, logits, context);
      logits.fill(-Infinity);
      winners.forEach((winner, index) => {
        logits[winner] = shares[index]!;
      });
      writePossible(candidates, possible);
    },
  };
}

/** Scores that mix two standard exponential numbers with the weights 1 - alpha and alpha. */
export function mixedExponentialLaw(alpha: number): ScoreLaw {
  const larger = Math.max(alpha, 1 - alpha);
  return {
    mean: 1,
    log10UpperTail: (total, count) =>
      count === 0 ? 0 : log10MixedGammaUpperTail(count, alpha, total),
    tilts: slopes.map((part) => {
      const slope = part / larger;
      return { slope, cost: -Math.log1p(-slope * (1 - alpha)) - Math.log1p(-slope * alpha) };
    }),
  };
}
