import { hkdfSync } from 'node:crypto';
import { TouchmarkError } from '../errors.ts';
import { keyBytes, lengthPrefixed, requireKey, requireName } from './encoding.ts';

/** What an epoch key is used for; every layer has key material of its own. */
export const purposes = [
  'probability-signs',
  'probability-carriers',
  'probability-per-query',
  'probability-direction',
  'label-coins',
  'text-contexts',
  'text-keystream',
  'text-hugging-face',
  'text-synthid',
  'text-vllm',
  'trap-lots',
] as const;
export type Purpose = (typeof purposes)[number];

const beaconBytes = { fewest: 16, most: 64 };

/**
 * Returns the 32-byte key of one tenant in one epoch: HKDF-SHA256 (RFC 5869) of the root, with the
 * public beacon as salt and `("touchmark/v1/epoch", tenant, epoch)`, length-prefixed, as info.
 * Different tenants and epochs have independent keys.
 *
 * @param options.root 32 secret bytes
 * @param options.beacon 16 to 64 public random bytes; HMAC pads salts with zeros, so a beacon of
 *   zeros equals none
 * @throws TouchmarkError INPUT_INVALID for a root, name or beacon outside its range
 */
export function deriveEpochKey(options: {
  readonly root: Uint8Array;
  readonly tenant: string;
  readonly epoch: string;
  readonly beacon?: Uint8Array;
}): Buffer {
  const { root, tenant, epoch, beacon = new Uint8Array(0) } = options;
  requireKey(root, 'root key');
  requireName(tenant, 'tenant');
  requireName(epoch, 'epoch');
  if (options.beacon) requireBeacon(options.beacon);
  return expand(root, beacon, lengthPrefixed('touchmark/v1/epoch', tenant, epoch));
}

/**
 * Returns the 32-byte key of one purpose: HKDF-SHA256 of the epoch key without salt, with
 * `("touchmark/v1/purpose", purpose)`, length-prefixed, as info.
 *
 * @throws TouchmarkError INPUT_INVALID when the epoch key does not have 32 bytes
 */
export function derivePurposeKey(epochKey: Uint8Array, purpose: Purpose): Buffer {
  requireKey(epochKey, 'epoch key');
  return expand(epochKey, new Uint8Array(0), lengthPrefixed('touchmark/v1/purpose', purpose));
}

/**
 * Returns the 32-byte key that authenticates a key ring file: HKDF-SHA256 of the root without salt,
 * with `("touchmark/v1/key-ring")`, length-prefixed, as info.
 *
 * @throws TouchmarkError INPUT_INVALID when the root does not have 32 bytes
 */
export function deriveRingKey(root: Uint8Array): Buffer {
  requireKey(root, 'root key');
  return expand(root, new Uint8Array(0), lengthPrefixed('touchmark/v1/key-ring'));
}

/**
 * Returns the 32-byte key that seals trap sets: HKDF-SHA256 of the root without salt, with
 * `("touchmark/v1/trap-sets")`, length-prefixed, as info.
 *
 * @throws TouchmarkError INPUT_INVALID when the root does not have 32 bytes
 */
export function deriveSealingKey(root: Uint8Array): Buffer {
  requireKey(root, 'root key');
  return expand(root, new Uint8Array(0), lengthPrefixed('touchmark/v1/trap-sets'));
}

function expand(key: Uint8Array, salt: Uint8Array, info: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, keyBytes));
}

function requireBeacon(beacon: Uint8Array): void {
  if (beacon.length >= beaconBytes.fewest && beacon.length <= beaconBytes.most) return;
  throw new TouchmarkError('INPUT_INVALID', `The beacon has ${beacon.length} bytes.`, {
    hint: `Use the ${beaconBytes.fewest} to ${beaconBytes.most} random bytes of one beacon round.`,
  });
}
