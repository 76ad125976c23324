import type { TokenMarker } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { GenerationMarker } from './generation-marker.ts';
import type { TextPrf } from './prfs/prf.ts';
import { openPrf } from './prfs/registry.ts';
import type { TextProfile } from './profile.ts';
import { openScheme } from './schemes/registry.ts';
import type { GenerationOptions, TextScheme } from './schemes/scheme.ts';
import { isPublicKey, type TextKey } from './text-key.ts';
import type { PairRules } from './token-pairs.ts';

/** A text mark with its key: it can be embedded and detected. */
export interface TextWatermark {
  readonly profile: TextProfile;
  readonly prf: TextPrf;
  readonly scheme: TextScheme;
  readonly rules: PairRules;
  /** The key is one that everybody knows: what it finds is no evidence. */
  readonly keyIsPublic: boolean;
  /** Returns the marker of one generation. */
  marker(options: GenerationOptions): TokenMarker;
}

/**
 * Puts a scheme over a pseudorandom function with a key.
 *
 * @example
 * const watermark = openTextWatermark(profile, { stack: 'touchmark', epochKey });
 * const marker = watermark.marker({ promptLength: prompt.length });
 * marker.mark(logits, tokensSoFar);
 *
 * @throws TouchmarkError CONFIG_INVALID when the key is not one of the profile's stack, the function
 *   cannot carry the scheme, or the profile tells tenants apart
 */
export function openTextWatermark(profile: TextProfile, key: TextKey): TextWatermark {
  if (profile.tenants) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      'The text profile tells tenants apart: one key does not open it.',
      {
        hint: "Use openTenantWatermark with the epoch's common key, or remove `tenants` from the profile.",
      },
    );
  }
  const prf = openPrf(profile, key);
  return assembleWatermark(profile, prf, openScheme(profile, prf), isPublicKey(key));
}

/** Puts the parts of a text mark together under the profile's rules. */
export function assembleWatermark(
  profile: TextProfile,
  prf: TextPrf,
  scheme: TextScheme,
  keyIsPublic: boolean,
): TextWatermark {
  const rules = pairRules(profile, prf);
  return {
    profile,
    prf,
    scheme,
    rules,
    keyIsPublic,
    marker: (options) => new GenerationMarker(scheme, rules, options),
  };
}

/** Returns which pairs of a text count under a profile. */
export function pairRules(profile: TextProfile, prf: TextPrf): PairRules {
  return {
    context: prf.context,
    repeats: profile.repeats,
    vocabularySize: profile.tokenizer.vocabularySize,
    ...(prf.effectiveInputs && { effectiveInputs: prf.effectiveInputs.bind(prf) }),
  };
}
