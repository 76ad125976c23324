import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { lengthPrefixed, requireKey } from '../../keys/encoding.ts';
import { commonFields, salt } from './common.ts';

/**
 * Coin traps: low-margin questions of the serving log that a keyed coin answered. A trap names its
 * record only; question and answer stay in the log, where they are encrypted and can be erased.
 *
 * Null (keyed): the suspect is independent of the epoch key. Given everything before its question
 * was asked each coin is fair. Lots are dealt by independent thinning at a rate that does not depend
 * on how many coins there are, so that a lot, folded in served order, is a betting martingale also
 * against tenants that stop when they are ahead (`lotOf`).
 */
export const coinSetSchema = z.strictObject({
  kind: z.literal('coin'),
  tenant: z.string(),
  epoch: z.string(),
  epochCommitment: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** The records looked at: sequences from..through of the serving log. */
  from: z.int().nonnegative(),
  through: z.int().nonnegative(),
  /** Head of the log's chain at sealing, which binds what the records say. */
  log: z.strictObject({ entries: z.int().nonnegative(), head: z.string() }),
  ...commonFields,
  /** Some lots may be empty. */
  lots: z.array(
    z.strictObject({
      traps: z.array(z.strictObject({ sequence: z.int().nonnegative(), salt })),
    }),
  ),
});
export type CoinTrapSet = z.infer<typeof coinSetSchema>;

const lotDomain = lengthPrefixed('touchmark/v1/trap-lot');
const thinningDomain = lengthPrefixed('touchmark/v1/trap-thinning');

/**
 * Returns the lot, 0..lots-1, of the record at `sequence`: 48 bits of HMAC-SHA256 under the
 * `trap-lots` key of (tenant, epoch), times `lots`, rounded down (uniform up to 2^-48 lots).
 *
 * It depends on nothing but key and place. Each record falls into a given lot with probability
 * 1 / lots whatever the tenant does: independent thinning, and not a sample of fixed size, under
 * which a tenant that stops when ahead would give its innocent suspects a mean E above 1.
 *
 * @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes
 */
export function lotOf(key: Uint8Array, sequence: number, lots: number): number {
  return Math.floor(uniformOf(key, lotDomain, sequence) * lots);
}

/**
 * Returns the number in [0, 1), uniform on the multiples of 2^-48, that decides whether the record
 * at `sequence` is kept when coins are thinned to look like traffic: kept when it is below the
 * probability of keeping. Independent of lots and coins, under the same key as `lotOf`.
 *
 * @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes
 */
export function thinningOf(key: Uint8Array, sequence: number): number {
  return uniformOf(key, thinningDomain, sequence);
}

function uniformOf(key: Uint8Array, domain: Uint8Array, sequence: number): number {
  requireKey(key, 'trap lots key');
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(sequence));
  const digest = createHmac('sha256', key).update(domain).update(place).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
