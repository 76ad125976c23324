import { firstOccurrencesOfContexts } from '../../src/audit/readings.ts';
import type { TextMaterial } from '../../src/audit/text-material.ts';
import type { LanguageModel, Sampling, Tokenizer } from '../../src/contracts.ts';
import { InProcessLanguageModel } from '../../src/models/language/in-process-language-model.ts';
import { type KneserNeyModel, trainKneserNey } from '../../src/models/language/kneser-ney.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import type { TextProfile } from '../../src/watermark/text/profile.ts';
import type { TextKey } from '../../src/watermark/text/text-key.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import { openTextWatermark, type TextWatermark } from '../../src/watermark/text/watermark.ts';
import { nativeProfile } from '../watermark/text/random-text.ts';

export const vocabularySize = 300;
export const signal = new AbortController().signal;
const successors = 7;

/** Ids as words: `17 4 250`. */
export const wordIds: Tokenizer = {
  name: 'word ids',
  vocabularySize,
  encode: (text) => text.split(' ').filter(Boolean).map(Number),
  decode: (tokens) => tokens.join(' '),
};

export function sceneProfile(scheme: TextProfile['scheme']): TextProfile {
  return nativeProfile({ scheme, tokenizer: { name: wordIds.name, vocabularySize } });
}

/** A language whose words follow each other in a fixed, uneven way; the seed picks what is said. */
export function writeText(seed: string, length: number): Int32Array {
  const random = seededRandom(seed);
  const tokens = new Int32Array(length);
  let last = 1;
  for (let at = 0; at < length; at++) {
    const rank = Math.floor(successors * random.uniform() ** 1.5);
    last = (last * 137 + rank * 71 + 11) % vocabularySize;
    tokens[at] = last;
  }
  return tokens;
}

export function trainModel(texts: readonly Int32Array[]): KneserNeyModel {
  return trainKneserNey(texts, { order: 3, vocabularySize });
}

export function asLanguageModel(
  model: KneserNeyModel,
  watermark?: TextWatermark,
): InProcessLanguageModel {
  return new InProcessLanguageModel(model, {
    name: 'in this test',
    tokenizer: wordIds,
    ...(watermark && { marker: (promptLength: number) => watermark.marker({ promptLength }) }),
  });
}

/** Continues prompts of the language; the outputs come back with their prompts. */
export async function generate(
  model: LanguageModel,
  seed: string,
  texts: number,
  maxTokens: number,
): Promise<TokenText[]> {
  const prompts = Array.from({ length: texts }, (_, index) => writeText(`${seed}/${index}`, 6));
  const sampling: Sampling = { maxTokens, temperature: 1, seed };
  const outcomes = await model.complete(prompts, { sampling, signal });
  return outcomes.map((outcome, index) => {
    if (!('answer' in outcome)) throw new Error('a model of this process always answers');
    const prompt = prompts[index]!;
    const tokens = Int32Array.of(...prompt, ...outcome.answer.tokens!);
    return { tokens, promptLength: prompt.length };
  });
}

export function outputsOf(texts: readonly TokenText[]): Int32Array[] {
  return texts.map(({ tokens, promptLength }) => tokens.slice(promptLength));
}

/** What an audit knows: the key, the log of what was served, and a reference model. */
export function textMaterial(options: {
  readonly profile: TextProfile;
  readonly key: TextKey;
  readonly log: readonly TokenText[];
  readonly reference?: KneserNeyModel;
  readonly prompts?: number;
  readonly readings?: number;
}): TextMaterial {
  const { profile, key, log, reference, prompts = 20, readings = 400 } = options;
  const watermark = openTextWatermark(profile, key);
  return {
    watermark,
    keyMaterial: 'sha256:test/text',
    prompts: Array.from({ length: prompts }, (_, index) => writeText(`probe/${index}`, 6)),
    sampling: { maxTokens: 40, temperature: 1, seed: 'audit' },
    readings: firstOccurrencesOfContexts(log, watermark.prf, 8, readings),
    horizon: readings,
    ...(reference && { reference }),
    encode: wordIds.encode,
  };
}
