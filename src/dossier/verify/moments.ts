import { createHash } from 'node:crypto';
import { planDigest } from '../../audit/vouchers.ts';
import { beaconChains, timeOf } from '../../keys/beacon.ts';
import { statedTime, verifyTimestampToken } from '../../keys/timestamp.ts';
import type { DossierPredicate } from '../statement.ts';
import type { AnchoredCheckpoint } from './records.ts';
import type { Trust } from './trust.ts';

/** When somebody whom the reader believes had seen something. */
export interface Sighting {
  readonly at: Date;
  readonly by: string;
}

/**
 * Returns who first saw the log with all records shown, or undefined where nobody did whom the reader
 * believes.
 *
 * @throws TouchmarkError EVIDENCE_INVALID for a token of something else, or none at all
 */
export function logSeen(
  anchor: AnchoredCheckpoint | undefined,
  trust: Trust,
): Sighting | undefined {
  if (anchor === undefined) return undefined;
  const imprint = createHash('sha256').update(anchor.note).digest();
  return earliest([
    ...witnesses(anchor.root, trust),
    ...stamped(anchor.token ?? null, imprint, trust),
  ]);
}

/** Returns who first saw the sealed plan; see `logSeen`. */
export function planSeen(
  { vouchers }: DossierPredicate,
  planHash: string,
  trust: Trust,
): Sighting | undefined {
  const digest = planDigest(planHash);
  return earliest([
    ...witnesses(digest.toString('hex'), trust),
    ...stamped(vouchers.planToken, digest, trust),
  ]);
}

/** Decides whether an authority that the reader believes dated the plan, and so fixed its round. */
export function isStamped({ vouchers }: DossierPredicate, planHash: string, trust: Trust): boolean {
  return stamped(vouchers.planToken, planDigest(planHash), trust).length > 0;
}

/**
 * Returns when the round that ordered the questions was published, or undefined without one of a chain
 * that the reader believes.
 */
export function roundPublished(
  { vouchers: { beacon } }: DossierPredicate,
  { chains = [] }: Trust,
): { readonly round: number; readonly at: Date } | undefined {
  if (beacon === null) return undefined;
  const { chain, round } = beacon;
  const believed = [...Object.values(beaconChains), ...chains].some(
    ({ hash, publicKey, genesisSeconds, periodSeconds, scheme }) =>
      hash === chain.hash &&
      publicKey === chain.publicKey &&
      genesisSeconds === chain.genesisSeconds &&
      periodSeconds === chain.periodSeconds &&
      scheme === chain.scheme,
  );
  if (!believed) return undefined;
  return { round: round.round, at: new Date(timeOf(chain, round.round)) };
}

function witnesses(digest: string, { witnessed = [] }: Trust): Sighting[] {
  return witnessed
    .filter((each) => each.digest === digest)
    .map(({ at }) => ({ at, by: 'a witness' }));
}

/** A token of an authority that the reader does not know is worth nothing, and no fault. */
function stamped(
  token: string | null,
  imprint: Uint8Array,
  { authorities = [] }: Trust,
): Sighting[] {
  if (token === null) return [];
  const bytes = Buffer.from(token, 'base64');
  statedTime(bytes, imprint);
  try {
    const { time, authority } = verifyTimestampToken(bytes, imprint, authorities);
    return [{ at: new Date(time), by: authority }];
  } catch {
    return [];
  }
}

function earliest(seen: readonly Sighting[]): Sighting | undefined {
  return [...seen].sort((left, right) => left.at.getTime() - right.at.getTime())[0];
}
