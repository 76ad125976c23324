import type { KneserNeyModel } from '../../../../src/models/language/kneser-ney.ts';
import { chooseBiasedTokens } from '../../../../src/watermark/text/api/choose-tokens.ts';
import type { TextProfile } from '../../../../src/watermark/text/profile.ts';
import {
  asLanguageModel,
  generate,
  outputsOf,
  vocabularySize,
  wordIds,
} from '../../../audit/text-scene.ts';

import { nativeProfile } from '../random-text.ts';

/** A profile whose list is chosen from what a model says unmarked. */
export async function biasedProfile(
  model: KneserNeyModel,
  limit: number,
  bias: number,
): Promise<TextProfile> {
  const sample = outputsOf(await generate(asLanguageModel(model), 'unmarked sample', 60, 200));
  const { tokens } = chooseBiasedTokens(
    sample.map((each) => ({ tokens: each })),
    limit,
  );
  return widthless({ name: 'biased-list', bias, tokens: [...tokens] });
}

/** A profile that reads no context. */
export function widthless(scheme: TextProfile['scheme']): TextProfile {
  return nativeProfile({
    scheme,
    prf: { name: 'native', contextWidth: 0 },
    tokenizer: { name: wordIds.name, vocabularySize },
  });
}
