import { createHash, timingSafeEqual } from 'node:crypto';
import { CoinTree } from './coin-tree.ts';
import { derivePurposeKey, type Purpose, purposes } from './derivation.ts';
import { lengthPrefixed, requireKey, requireName } from './encoding.ts';

/** Purposes whose single coins can be revealed: what is committed to is the root of their coin tree. */
export const coinPurposes: readonly Purpose[] = ['label-coins', 'probability-per-query'];

/** What an epoch key commits to for each purpose: 32 bytes in hexadecimal. */
export type PurposeCommitments = Readonly<Record<Purpose, string>>;

/**
 * Returns the commitments to an epoch's key of each purpose, so that one can be revealed without the
 * others: the root of the coin tree for coins, else SHA-256 of `("touchmark/v1/purpose-commitment",
 * key)`, length-prefixed. Takes some 60 ms.
 *
 * @throws TouchmarkError INPUT_INVALID when the epoch key does not have 32 bytes
 */
export function purposeCommitments(epochKey: Uint8Array): PurposeCommitments {
  const commitTo = (purpose: Purpose): string => {
    const key = derivePurposeKey(epochKey, purpose);
    return coinPurposes.includes(purpose)
      ? new CoinTree(key).root().toString('hex')
      : commitToPurposeKey(key);
  };
  return Object.fromEntries(
    purposes.map((purpose) => [purpose, commitTo(purpose)]),
  ) as PurposeCommitments;
}

/** Returns the commitment to a purpose's key as a whole; not for coins. */
export function commitToPurposeKey(key: Uint8Array): string {
  requireKey(key, 'purpose key');
  const message = lengthPrefixed('touchmark/v1/purpose-commitment', key);
  return createHash('sha256').update(message).digest('hex');
}

/**
 * Returns the public commitment to an epoch key, `sha256:` and 64 hexadecimal digits: SHA-256 of
 * `("touchmark/v1/epoch-commitment", tenant, epoch)` and of each purpose's name and commitment, in
 * the order of `purposes`, length-prefixed. It binds because SHA-256 resists collisions and hides
 * because the key has 256 random bits. Publish it before the epoch's first answer.
 *
 * @throws TouchmarkError INPUT_INVALID for a key or name outside its range
 */
export function commitToEpochKey(epochKey: Uint8Array, tenant: string, epoch: string): string {
  requireKey(epochKey, 'epoch key');
  return epochCommitment(purposeCommitments(epochKey), tenant, epoch);
}

/** Returns the commitment to an epoch key from those to its purposes; see `commitToEpochKey`. */
export function epochCommitment(
  commitments: PurposeCommitments,
  tenant: string,
  epoch: string,
): string {
  requireName(tenant, 'tenant');
  requireName(epoch, 'epoch');
  const parts = purposes.flatMap((purpose) => [purpose, Buffer.from(commitments[purpose], 'hex')]);
  const message = lengthPrefixed('touchmark/v1/epoch-commitment', tenant, epoch, ...parts);
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
