import type { TokenCandidates } from '../../../contracts.ts';
import { kernelFor } from '../kernel/text-kernel.ts';
import { bernoulliLaw } from '../laws.ts';
import type { GreenSource, TokenPairs } from '../prfs/prf.ts';
import type { TextScheme } from './scheme.ts';

/** How lanes are read as a keystream of one digit: those that are 1 are green. */
const lanesAsDigits = { count: 1, threshold: 1 };

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
      const { keystream } = source;
      if (source.listAmong) {
        addBias(logits, source.listAmong(context, logits), half, size);
      } else if (keystream) {
        const digits = keystream.stream(context, size);
        kernelFor(logits, vocabularySize).biasGreen(logits, size, keystream, digits, half);
      } else if (source.lanes) {
        const lanes = source.lanes(context, size);
        kernelFor(logits, vocabularySize).biasGreen(logits, size, lanesAsDigits, lanes, -half);
      } else {
        addBias(logits, source.list(context, vocabularySize), half, size);
      }
    },
    markCandidates: (candidates, context) => {
      const inside = candidates.tokens.filter((token) => token >= 0 && token < vocabularySize);
      const green = source.listAmong
        ? pick(source.listAmong(context, spread(candidates, vocabularySize)), inside)
        : source.bits(afterContext(context, inside));
      biasCandidates(candidates, green, half, vocabularySize);
    },
  };
}

function addBias(logits: Float32Array, green: Uint8Array, half: number, size: number): void {
  for (let token = 0; token < size; token++) {
    logits[token] = logits[token]! + (green[token] === 1 ? half : -half);
  }
}

/** Adds to or takes from the logits of tokens of the vocabulary, which `green` has one bit each for. */
function biasCandidates(
  { tokens, logits }: TokenCandidates,
  green: Uint8Array,
  half: number,
  vocabularySize: number,
): void {
  let next = 0;
  for (let index = 0; index < tokens.length; index++) {
    if (!(tokens[index]! >= 0 && tokens[index]! < vocabularySize)) continue;
    logits[index] = logits[index]! + (green[next++] === 1 ? half : -half);
  }
}

function afterContext(context: Int32Array, tokens: Int32Array): TokenPairs {
  const width = context.length;
  const contexts = new Int32Array(width * tokens.length);
  for (let from = 0; from < contexts.length; from += width) contexts.set(context, from);
  return { count: tokens.length, width, contexts, tokens };
}

/** The logits of a whole vocabulary of which only the candidates are possible. */
function spread({ tokens, logits }: TokenCandidates, vocabularySize: number): Float32Array {
  const all = new Float32Array(vocabularySize).fill(-Infinity);
  for (let index = 0; index < tokens.length; index++) all[tokens[index]!] = logits[index]!;
  return all;
}

function pick(list: Uint8Array, tokens: Int32Array): Uint8Array {
  return Uint8Array.from(tokens, (token) => list[token]!);
}
