import { detectText } from './detect.ts';
import { type TextProfile, textProfileSchema } from './profile.ts';
import type { TextKey } from './text-key.ts';
import type { TokenText } from './token-pairs.ts';
import { openTextWatermark } from './watermark.ts';

/** How a text reads under a profile that differs from the given one in one thing. */
export interface ProfileVariant {
  /** What differs, in words. */
  readonly change: string;
  readonly profile: TextProfile;
  /** The text as that profile would have it. */
  readonly text: TokenText;
  /** log10 of the exact p-value, times the number of variants tried. */
  readonly log10P: number;
}

const widths = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/**
 * Reads a text under the profile's neighbours with the same key: other context widths, the prompt
 * counted as output or left away, ids shifted by one. When the mark is there under a neighbour, the
 * profile is wrong, and what the profile itself found says nothing.
 *
 * A diagnosis is no evidence: profiles are sealed before texts are looked at. Its p-values carry the
 * number of variants (Bonferroni), so that one below 1e-6 is not chance.
 *
 * @returns variants, the most telling first
 */
export function diagnoseProfile(
  profile: TextProfile,
  key: TextKey,
  text: TokenText,
): readonly ProfileVariant[] {
  const variants = [...widthVariants(profile, text), ...textVariants(profile, text)];
  return variants
    .map((variant) => ({
      ...variant,
      log10P: Math.min(
        0,
        detectText(openTextWatermark(variant.profile, key), variant.text).log10P +
          Math.log10(variants.length),
      ),
    }))
    .sort((left, right) => left.log10P - right.log10P);
}

type Variant = Omit<ProfileVariant, 'log10P'>;

function widthVariants(profile: TextProfile, text: TokenText): Variant[] {
  const { prf } = profile;
  const present = 'ngramLength' in prf ? prf.ngramLength - 1 : prf.contextWidth;
  return widths.flatMap((width) => {
    if (width === present) return [];
    const changed =
      'ngramLength' in prf ? { ...prf, ngramLength: width + 1 } : { ...prf, contextWidth: width };
    const parsed = textProfileSchema.safeParse({ ...profile, prf: changed });
    if (!parsed.success) return [];
    return [{ change: `context width ${width} instead of ${present}`, profile: parsed.data, text }];
  });
}

function textVariants(profile: TextProfile, text: TokenText): Variant[] {
  const { tokens, promptLength } = text;
  const shifted = (by: number): TokenText => ({
    tokens: tokens.map((token) => token + by),
    promptLength,
  });
  return [
    { change: 'token ids one higher', profile, text: shifted(1) },
    { change: 'token ids one lower', profile, text: shifted(-1) },
    ...(promptLength === 0
      ? []
      : [
          { change: 'prompt counted as output', profile, text: { tokens, promptLength: 0 } },
          {
            change: 'prompt left away',
            profile,
            text: { tokens: tokens.slice(promptLength), promptLength: 0 },
          },
        ]),
  ];
}
