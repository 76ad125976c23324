import { createHash } from 'node:crypto';
import { type SeededRandom, seededRandom } from '../../../src/stats/sampling.ts';
import { parseTextProfile, type TextProfile } from '../../../src/watermark/text/profile.ts';
import type { TextKey } from '../../../src/watermark/text/text-key.ts';
import type { TokenText } from '../../../src/watermark/text/token-pairs.ts';
import type { TextWatermark } from '../../../src/watermark/text/watermark.ts';

/** A profile of the native function, with changes. */
export function nativeProfile(changes: Partial<TextProfile> = {}): TextProfile {
  return parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: { name: 'green-list', gamma: 0.25, delta: 2 },
      prf: { name: 'native', contextWidth: 2 },
      repeats: 'mark',
      tokenizer: { name: 'test', vocabularySize: 500 },
      ...changes,
    },
    'a test profile',
  );
}

export function nativeKey(name: string): TextKey {
  return { stack: 'touchmark', epochKey: createHash('sha256').update(name).digest() };
}

/**
 * Draws a text of random logits, marked if a watermark is given: normal logits of deviation 2 at
 * every step, none alike.
 */
export function randomText(
  seed: string,
  length: number,
  vocabularySize: number,
  watermark?: TextWatermark,
  prompt: readonly number[] = [],
): TokenText {
  const random = seededRandom(seed);
  const tokens = new Int32Array(prompt.length + length);
  tokens.set(prompt);
  const marker = watermark?.marker({ promptLength: prompt.length });
  for (let at = prompt.length; at < tokens.length; at++) {
    const logits = Float32Array.from({ length: vocabularySize }, () => 2 * random.normal());
    marker?.mark(logits, tokens.slice(0, at));
    tokens[at] = drawToken(logits, random);
  }
  return { tokens, promptLength: prompt.length };
}

/** Draws from the softmax of logits. */
export function drawToken(logits: Float32Array, random: SeededRandom): number {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = Array.from(logits, (logit) => Math.exp(logit - highest));
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let token = 0; token < weights.length; token++) {
    left -= weights[token]!;
    if (left < 0) return token;
  }
  return weights.length - 1;
}
