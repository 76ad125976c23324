import { generateText, type TextSource } from '../../../../scripts/calibrate/text-source.ts';
import {
  parseTextProfile,
  type TenantLayers,
  type TextProfile,
} from '../../../../src/watermark/text/profile.ts';
import { tenantIdentifier } from '../../../../src/watermark/text/tenants/identifiers.ts';
import { openTenantWatermark } from '../../../../src/watermark/text/tenants/tenant-watermark.ts';
import type { TokenText } from '../../../../src/watermark/text/token-pairs.ts';
import { keyOf } from '../../fixtures.ts';

export const bits = 12;

/** A profile that tells tenants apart; `layers` are sixteenths. */
export function tenantProfile(
  layers: TenantLayers,
  { identifierBits = bits, vocabularySize = 1024, contextWidth = 2 } = {},
): TextProfile {
  return parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: { name: 'green-list', gamma: 0.5, delta: 2 },
      prf: { name: 'native', contextWidth },
      repeats: 'mark',
      tenants: { identifierBits, layers },
      tokenizer: { name: 'words', vocabularySize },
    },
    'fixture',
  );
}

/** What tenant number `index` answers under the epoch of a common key. */
export function answerOf(
  profile: TextProfile,
  commonKey: Uint8Array,
  index: number,
  source: TextSource,
  length: number,
): TokenText {
  const watermark = openTenantWatermark(profile, {
    commonKey,
    identifier: tenantIdentifier(index, profile.tenants!.identifierBits),
    ownKey: keyOf(`own ${index}`),
  });
  const seed = `${index} ${Buffer.from(commonKey).toString('hex')}`;
  const tokens = generateText(source, length, seed, watermark.marker({ promptLength: 0 }));
  return { tokens, promptLength: 0 };
}
