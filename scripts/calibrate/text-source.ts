import type { TokenMarker } from '../../src/contracts.ts';
import { type SeededRandom, seededRandom } from '../../src/stats/sampling.ts';

/** A make-believe language: what may follow a token depends on it and on the one before it. */
export interface TextSource {
  readonly vocabularySize: number;
  /** Tokens that may follow a context. */
  readonly choices: number;
  /** Exponent of Zipf's law of the choices' probabilities. */
  readonly exponent: number;
  /** Tokens before the next one that decide its choices; 1 makes texts repeat themselves. */
  readonly order: 1 | 2;
}

/** Many different contexts, about 2.3 nats per token. */
export const variedSource: TextSource = {
  vocabularySize: 1024,
  choices: 24,
  exponent: 1,
  order: 2,
};

/** Few contexts that return all the time, with many different tokens after each. */
export const repetitiveSource: TextSource = {
  vocabularySize: 256,
  choices: 64,
  exponent: 0.5,
  order: 1,
};

/** Generates a text, under a mark or without one. */
export function generateText(
  source: TextSource,
  length: number,
  seed: string,
  marker?: TokenMarker,
): Int32Array {
  const random = seededRandom(seed);
  const { vocabularySize, choices, exponent, order } = source;
  const ranks = Float32Array.from({ length: choices }, (_, rank) => -exponent * Math.log(rank + 1));
  const tokens = new Int32Array(length);
  const logits = new Float32Array(vocabularySize);
  const candidates = new Int32Array(choices);
  for (let position = 0; position < length; position++) {
    const last = position > 0 ? tokens[position - 1]! : 0;
    const before = order > 1 && position > 1 ? tokens[position - 2]! : 0;
    let state = Math.imul(last + 1, 0x9e3779b1) ^ Math.imul(before + 1, 0x85ebca6b);
    logits.fill(-Infinity);
    for (let rank = 0; rank < choices; rank++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + rank;
      const candidate = ((state ^ (state >>> 13)) >>> 0) % vocabularySize;
      candidates[rank] = candidate;
      logits[candidate] = Math.max(logits[candidate]!, ranks[rank]!);
    }
    marker?.mark(logits, tokens.subarray(0, position));
    tokens[position] = draw(logits, candidates, random);
  }
  return tokens;
}

function draw(logits: Float32Array, candidates: Int32Array, random: SeededRandom): number {
  const weights = candidates.map(() => 0);
  let sum = 0;
  const cumulative = new Float64Array(weights.length);
  for (let index = 0; index < candidates.length; index++) {
    sum += Math.exp(logits[candidates[index]!]!);
    cumulative[index] = sum;
  }
  const point = random.uniform() * sum;
  const index = cumulative.findIndex((bound) => point < bound);
  return candidates[index < 0 ? candidates.length - 1 : index]!;
}
