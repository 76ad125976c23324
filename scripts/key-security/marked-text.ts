import { type SeededRandom, seededRandom } from '../../src/stats/sampling.ts';
import type { TokenPairs } from '../../src/watermark/text/prfs/prf.ts';
import type { TextProfile } from '../../src/watermark/text/profile.ts';
import { PairCollector, type TokenText } from '../../src/watermark/text/token-pairs.ts';
import type { TextWatermark } from '../../src/watermark/text/watermark.ts';

const depth = 30;
const vocabularySize = 1000;

/** A tournament of 30 layers over a function, with a context of four tokens. */
export function tournamentProfile(prf: TextProfile['prf']): TextProfile {
  return {
    schema: 'touchmark/text-profile@1',
    scheme: { name: 'tournament', depth },
    prf,
    repeats: 'turn',
    tokenizer: { name: 'random', vocabularySize },
  };
}

/** The distinct pairs of a marked text, and the mean entropy of a token in bits. */
export interface MarkedText {
  readonly pairs: TokenPairs;
  readonly entropy: number;
}

/**
 * Draws a marked text from random next-token distributions: the softmax of normal logits.
 *
 * @param deviation of the logits: 4 leaves about 3 bits a token, as a language model does
 */
export function markedText(
  watermark: TextWatermark,
  seed: string,
  length: number,
  deviation: number,
): MarkedText {
  const random = seededRandom(seed);
  const tokens = new Int32Array(length);
  const marker = watermark.marker({ promptLength: 0 });
  let entropy = 0;
  for (let at = 0; at < length; at++) {
    const logits = Float32Array.from({ length: vocabularySize }, () => deviation * random.normal());
    entropy += entropyOf(weightsOf(logits)) / length;
    marker.mark(logits, tokens.slice(0, at));
    tokens[at] = draw(weightsOf(logits), random);
  }
  const text: TokenText = { tokens, promptLength: 0 };
  return { pairs: new PairCollector(watermark.rules).collect(text).pairs, entropy };
}

function weightsOf(logits: Float32Array): Float64Array {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function entropyOf(probabilities: Float64Array): number {
  return probabilities.reduce(
    (bits, probability) => (probability > 0 ? bits - probability * Math.log2(probability) : bits),
    0,
  );
}

function draw(probabilities: Float64Array, random: SeededRandom): number {
  let left = random.uniform();
  for (let token = 0; token < probabilities.length; token++) {
    left -= probabilities[token]!;
    if (left < 0) return token;
  }
  return probabilities.length - 1;
}
