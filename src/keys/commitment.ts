import { createHash, timingSafeEqual } from 'node:crypto';
import type { Purpose } from './derivation.ts';
import { lengthPrefixed, requireKey, requireName } from './encoding.ts';

/**
 * Returns the public commitment to an epoch key, `sha256:` and 64 hexadecimal digits: SHA-256 of
 * `("touchmark/v1/commitment", tenant, epoch, key)`, length-prefixed. It binds because SHA-256
 * resists collisions and hides because the key has 256 random bits. Publish it before the epoch's
 * first answer.
 *
 * @throws TouchmarkError INPUT_INVALID for a key or name outside its range
 */
export function commitToEpochKey(epochKey: Uint8Array, tenant: string, epoch: string): string {
  requireKey(epochKey, 'epoch key');
  requireName(tenant, 'tenant');
  requireName(epoch, 'epoch');
  const message = lengthPrefixed('touchmark/v1/commitment', tenant, epoch, epochKey);
  return `sha256:${createHash('sha256').update(message).digest('hex')}`;
}

/**
 * Returns the identifier of one purpose's key material, as `Evidence.keyMaterial` carries it; two
 * pieces of evidence use disjoint keys exactly when these identifiers differ.
 */
export function purposeCommitment(epochCommitment: string, purpose: Purpose): string {
  return `${epochCommitment}/${purpose}`;
}

/**
 * Decides whether a revealed epoch key is the one that was committed to.
 *
 * @throws TouchmarkError INPUT_INVALID for a key or name outside its range
 */
export function verifyCommitment(
  commitment: string,
  epochKey: Uint8Array,
  tenant: string,
  epoch: string,
): boolean {
  const expected = Buffer.from(commitToEpochKey(epochKey, tenant, epoch));
  const given = Buffer.from(commitment);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
