import { TouchmarkError } from '../../../errors.ts';
import { nativePrf } from '../prfs/native.ts';
import type { TextProfile } from '../profile.ts';
import { greenListScheme } from '../schemes/green-list.ts';
import { assembleWatermark, type TextWatermark } from '../watermark.ts';
import { openCommonKey } from './common-key.ts';
import { requireIdentifier } from './identifiers.ts';
import { LayeredGreen } from './layers.ts';
import { CodedGreen, type KernelGreen } from './tenant-code.ts';

/** What marks the answers of one tenant. */
export interface TenantKeys {
  /** The epoch's key that all tenants share; it belongs to no tenant. */
  readonly commonKey: Uint8Array;
  /** The tenant's identifier in the linear code; see `tenantIdentifier`. */
  readonly identifier: number;
  /** The tenant's own epoch key, independent of all others; needed where the own layer has a share. */
  readonly ownKey?: Uint8Array;
}

/**
 * Puts the layers of one tenant's mark together: the common key shares the contexts out; those of
 * `common` are marked alike for everybody, those of `code` by the tenant's list of the linear code,
 * and those of `own` under the tenant's own key. The result embeds, and detects that one tenant.
 *
 * Null of its detection: the text depends on none of the tenant's keys. Whoever took part in the same
 * epoch shares the common layer: to tell tenants apart use `TenantScreen` and `TenantAccuser`.
 *
 * @example
 * const identifier = tenantIdentifier(tenantNumber, 20);
 * const watermark = openTenantWatermark(profile, { commonKey, identifier, ownKey });
 * const marker = watermark.marker({ promptLength: prompt.length });
 *
 * @throws TouchmarkError CONFIG_INVALID when the profile does not tell tenants apart; INPUT_INVALID
 *   for an identifier outside its bits, a missing own key, or one that is the common key
 */
export function openTenantWatermark(profile: TextProfile, keys: TenantKeys): TextWatermark {
  const { prf, layers, green, code } = openCommonKey(profile, keys.commonKey);
  requireIdentifier(keys.identifier, code.bits);
  const source = new LayeredGreen(layers, {
    common: green,
    code: new CodedGreen(green, code, keys.identifier),
    own: profile.tenants?.layers.own === 0 ? green : ownGreen(keys, prf.context.width),
  });
  const { scheme, tokenizer } = profile;
  const delta = 'delta' in scheme ? scheme.delta : 0;
  return assembleWatermark(
    profile,
    prf,
    greenListScheme(source, delta, tokenizer.vocabularySize),
    false,
  );
}

/**
 * Returns the green list of a tenant's own layer.
 *
 * @throws TouchmarkError INPUT_INVALID without an own key, or when it is the common key
 */
export function ownGreen(
  { commonKey, ownKey }: Pick<TenantKeys, 'commonKey' | 'ownKey'>,
  contextWidth: number,
): KernelGreen {
  if (ownKey === undefined || Buffer.compare(ownKey, commonKey) === 0) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      ownKey === undefined
        ? 'The own layer of a tenant needs the own key of the tenant.'
        : "A tenant's own key is the epoch's common key.",
      {
        hint: "Give the tenant's own epoch key; the common key belongs to a tenant that serves nobody.",
      },
    );
  }
  return nativePrf(ownKey, contextWidth).green(0.5);
}
