import { TouchmarkError } from '../../../errors.ts';
import type { TextProfile } from '../profile.ts';
import type { TextKey } from '../text-key.ts';
import { nativePrf } from './native.ts';
import type { TextPrf } from './prf.ts';

/**
 * Returns the profile's pseudorandom function under a key; a new one is a file and a line here.
 *
 * @throws TouchmarkError CONFIG_INVALID when the key is another stack's
 */
export function openPrf(profile: TextProfile, key: TextKey): TextPrf {
  const { prf } = profile;
  if (prf.name === 'native' && key.stack === 'touchmark') {
    return nativePrf(key.epochKey, prf.contextWidth);
  }
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `The profile marks with ${prf.name}, but the key is one of ${key.stack}.`,
    { hint: 'Give a key of the stack that made the text, or an epoch of the key ring.' },
  );
}
