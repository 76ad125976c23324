import { readFileSync } from 'node:fs';
import type { TokenPairs } from '../../../../src/watermark/text/prfs/prf.ts';
import { parseTextProfile, type TextProfile } from '../../../../src/watermark/text/profile.ts';
import type { TextKey } from '../../../../src/watermark/text/text-key.ts';
import { openTextWatermark, type TextWatermark } from '../../../../src/watermark/text/watermark.ts';

/** Values of scripts/vectors/text.py, or of the stack's own tests. */
export function textVectors<Values>(name: string): Values {
  const path = new URL(`../../../vectors/text-${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** A profile of another stack's function. */
export function stackProfile(
  prf: TextProfile['prf'],
  scheme: TextProfile['scheme'],
  repeats: TextProfile['repeats'],
  vocabularySize: number,
): TextProfile {
  return parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme,
      prf,
      repeats,
      tokenizer: { name: 'test', vocabularySize },
    },
    'a test profile',
  );
}

/** What `WatermarkingConfig` of transformers holds, as the vectors write it. */
export interface GreenSettings {
  readonly seeding: 'lefthash' | 'selfhash';
  readonly contextWidth: number;
  readonly hashingKey: string;
  readonly vocabulary: number;
  readonly ratio: number;
  readonly bias?: number;
}

export function greenWatermark(settings: GreenSettings): TextWatermark {
  const { seeding, contextWidth, hashingKey, vocabulary, ratio, bias = 2 } = settings;
  const profile = stackProfile(
    { name: 'hugging-face', seeding, contextWidth },
    { name: 'green-list', gamma: ratio, delta: bias },
    'mark',
    vocabulary,
  );
  return openTextWatermark(profile, { stack: 'hugging-face', hashingKey: BigInt(hashingKey) });
}

export const defaultSynthIdKeys = [
  654, 400, 836, 123, 340, 443, 597, 160, 57, 29, 590, 639, 13, 715, 468, 990, 966, 226, 324, 585,
  118, 504, 421, 521, 129, 669, 732, 225, 90, 960,
];

export function synthIdWatermark(
  name: 'synthid-hf' | 'synthid-deepmind',
  keys: readonly number[],
  ngramLength: number,
  vocabularySize: number,
): TextWatermark {
  const profile = stackProfile(
    { name, ngramLength },
    { name: 'tournament', depth: keys.length },
    'turn',
    vocabularySize,
  );
  return openTextWatermark(profile, { stack: 'synthid', keys });
}

export function vllmKey(key: string): TextKey {
  return { stack: 'vllm', key: BigInt(key) };
}

/** The pairs of full windows of a text. */
export function windowPairs(tokens: readonly number[], width: number): TokenPairs {
  const count = tokens.length - width;
  const contexts = Array.from({ length: count }, (_, row) => tokens.slice(row, row + width)).flat();
  return {
    count,
    width,
    contexts: Int32Array.from(contexts),
    tokens: Int32Array.from(tokens.slice(width)),
  };
}

/** The index of the largest logit, the first among equals. */
export function argMax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < logits.length; index++) {
    if (logits[index]! > logits[best]!) best = index;
  }
  return best;
}
