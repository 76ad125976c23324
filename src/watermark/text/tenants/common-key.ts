import { TouchmarkError } from '../../../errors.ts';
import { type NativePrf, nativePrf } from '../prfs/native.ts';
import type { TextProfile } from '../profile.ts';
import { ContextLayers, type Layer } from './layers.ts';
import { type KernelGreen, TenantCode } from './tenant-code.ts';

/** What an epoch's common key decides: layers, the base green list, and the tenant code. */
export interface CommonKey {
  readonly prf: NativePrf;
  readonly layers: ContextLayers;
  readonly green: KernelGreen;
  readonly code: TenantCode;
}

/**
 * Opens the key that all tenants of an epoch share.
 *
 * @param needs the layer that the caller reads
 * @throws TouchmarkError CONFIG_INVALID when the profile does not tell tenants apart, or lacks the
 *   layer; INPUT_INVALID for a key that does not have 32 bytes
 */
export function openCommonKey(
  profile: TextProfile,
  commonKey: Uint8Array,
  needs?: Layer,
): CommonKey {
  const { prf: function_, tenants, scheme } = profile;
  if (!tenants || function_.name !== 'native' || scheme.name !== 'green-list') {
    throw new TouchmarkError('CONFIG_INVALID', 'The text profile does not tell tenants apart.', {
      hint: 'Give the profile `tenants`, with a green-list of gamma 0.5 over the native function.',
    });
  }
  if (needs && tenants.layers[needs] === 0) {
    throw new TouchmarkError('CONFIG_INVALID', `The text profile has no ${needs} layer to read.`, {
      hint: `Texts marked under it cannot be tested so; a profile whose layers.${needs} is above 0 allows it for texts to come.`,
    });
  }
  const prf = nativePrf(commonKey, function_.contextWidth);
  return {
    prf,
    layers: new ContextLayers(prf, tenants.layers),
    green: prf.green(scheme.gamma),
    code: new TenantCode(prf, tenants.identifierBits),
  };
}
