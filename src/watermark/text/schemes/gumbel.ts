import { kernelFor } from '../kernel/text-kernel.ts';
import { exponentialLaw } from '../laws.ts';
import type { TokenPairs, UniformSource } from '../prfs/prf.ts';
import {
  candidatesOf,
  possibleCandidates,
  tempered,
  writeCandidates,
  writePossible,
} from './candidates.ts';
import type { GenerationOptions, TextScheme } from './scheme.ts';

/**
 * The Gumbel-max watermark (Aaronson 2022; Kuditipudi et al. 2023): the next token is the arg-max of
 * logit - log(-log u) with a keyed uniform u per (context, token). Over keys it is a draw from the
 * softmax, so one answer shows no distortion; the same context gives the same token.
 *
 * Null: the text does not depend on the key; then the sum of -ln(1 - u) over distinct pairs is
 * Gamma(n, 1). The marked logits are 0 for the chosen token and -Infinity for all others, whatever
 * the engine samples with. NaN counts as -Infinity; without any candidate nothing changes.
 */
export function gumbelScheme(source: UniformSource, vocabularySize: number): TextScheme {
  return {
    law: exponentialLaw(),
    scores: (pairs: TokenPairs) => source.uniforms(pairs).map((uniform) => -Math.log1p(-uniform)),
    mark: (logits, context, options) => {
      const { tokens, logits: values } =
        survivorsOf(source, logits, context, options, vocabularySize) ??
        candidatesOf(logits, vocabularySize, options);
      if (tokens.length === 0) return;
      const winner = perturbedArgMax(values, source.candidates(context, tokens));
      writeCandidates(logits, tokens.subarray(winner, winner + 1), [0]);
    },
    markCandidates: (candidates, context, options) => {
      const possible = possibleCandidates(candidates, vocabularySize, options);
      const { tokens, logits } = possible;
      if (tokens.length === 0) return;
      const winner = perturbedArgMax(logits, source.candidates(context, tokens));
      logits.fill(-Infinity);
      logits[winner] = 0;
      writePossible(candidates, possible);
    },
  };
}

/** The candidates that may win, where their coarse numbers can tell; nothing where all must be tried. */
function survivorsOf(
  source: UniformSource,
  logits: Float32Array,
  context: Int32Array,
  { temperature = 1, topK }: GenerationOptions,
  vocabularySize: number,
) {
  const size = Math.min(vocabularySize, logits.length);
  if (!source.coarse || (topK !== undefined && topK < size)) return undefined;
  const coarse = source.coarse(context, size);
  const kernel = kernelFor(logits, vocabularySize);
  const tokens = kernel.gumbelSurvivors(logits, size, coarse, temperature);
  return { tokens, logits: tempered(logits, tokens, temperature) };
}

/**
 * The index of the largest logit - log(-log u), the first among equals. Since -log u >= 1 - u, a
 * candidate with 1 - u >= exp(logit - best) cannot be larger than the best so far.
 */
export function perturbedArgMax(logits: Float64Array, uniforms: Float64Array): number {
  let winner = 0;
  let best = -Infinity;
  for (let index = 0; index < logits.length; index++) {
    const uniform = uniforms[index]!;
    if (1 - uniform >= Math.exp(logits[index]! - best)) continue;
    const perturbed = logits[index]! - Math.log(-Math.log(uniform));
    if (perturbed > best) {
      best = perturbed;
      winner = index;
    }
  }
  return winner;
}
