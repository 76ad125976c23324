import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import {
  type BeaconChain,
  beaconRoundSchema,
  beaconSchemes,
  firstRoundAfter,
  verifyRound,
} from '../keys/beacon.ts';
import { statedTime } from '../keys/timestamp.ts';
import { digestOf, type SealedPlan } from './plan.ts';

const chainSchema = z.strictObject({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  publicKey: z.string().regex(/^([0-9a-f]{96}|[0-9a-f]{192})$/),
  genesisSeconds: z.int().positive(),
  periodSeconds: z.int().positive(),
  scheme: z.enum(beaconSchemes),
});

export const vouchersSchema = z.strictObject({
  /** An RFC 3161 token over the plan's hash, DER in base64; null without an authority. */
  planToken: z.base64().nullable(),
  /** The chain that the plan names, and its first round after the plan; null where it names none. */
  beacon: z.strictObject({ chain: chainSchema, round: beaconRoundSchema }).nullable(),
});

/** What others say of a sealed plan: when they saw it, and what nobody could have known before. */
export type Vouchers = z.infer<typeof vouchersSchema>;

/** Nobody was asked. */
export const noVouchers: Vouchers = { planToken: null, beacon: null };

/**
 * Returns the number of the round that orders the questions of a plan: the first that is published
 * after the plan was sealed and, where it was, timestamped.
 */
export function roundOf(
  { plan, hash }: SealedPlan,
  chain: BeaconChain,
  planToken: Vouchers['planToken'],
): number {
  const sealed = Date.parse(plan.sealedAt);
  const seen =
    planToken === null ? sealed : Date.parse(statedTime(tokenBytes(planToken), planDigest(hash)));
  return firstRoundAfter(chain, Math.max(sealed, seen));
}

/**
 * Checks that vouchers are of this plan: a token over its hash, and the one round that its chain
 * allows, under that chain's signature. Whether token and chain are to be believed is the reader's.
 *
 * @throws TouchmarkError EVIDENCE_INVALID
 */
export function requireVouchers(sealed: SealedPlan, { planToken, beacon }: Vouchers): void {
  if (planToken !== null) statedTime(tokenBytes(planToken), planDigest(sealed.hash));
  if ((beacon?.chain.hash ?? null) !== sealed.plan.beacon) {
    throw invalid('is of another chain than the plan names');
  }
  if (beacon === null) return;
  const expected = roundOf(sealed, beacon.chain, planToken);
  if (beacon.round.round !== expected) {
    throw invalid(`is ${beacon.round.round} and not ${expected}, the first after the plan`);
  }
  verifyRound(beacon.chain, beacon.round);
}

/**
 * Returns the seed of everything that is drawn in an audit: the order of its questions, its cover, its
 * pauses and what is asked twice. With a beacon nobody could know it before the plan was sealed.
 */
export function orderSeed({ plan, hash }: SealedPlan, { beacon }: Vouchers): string {
  if (beacon === null) return plan.audit ?? hash;
  const randomness = Buffer.from(verifyRound(beacon.chain, beacon.round)).toString('hex');
  return digestOf(['probe-order', hash, randomness]);
}

/** SHA-256 of a plan, 32 bytes: what a timestamp authority is asked to see. */
export function planDigest(hash: string): Buffer {
  return Buffer.from(hash.replace(/^sha256:/, ''), 'hex');
}

function tokenBytes(token: string): Buffer {
  return Buffer.from(token, 'base64');
}

function invalid(reason: string): TouchmarkError {
  return new TouchmarkError('EVIDENCE_INVALID', `The beacon's round ${reason}.`, {
    hint: 'Take the round that the audit asks for from a relay of its chain.',
  });
}
