import type { Input, Probe, ServedRecord } from '../contracts.ts';
import type { ClassifierAnswers } from '../fingerprints/classifier-answers.ts';
import type { ClassifierProbeSet } from '../fingerprints/probe-set.ts';
import type { QuirkNull } from '../fingerprints/reference-null.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { purposeCommitment } from '../keys/commitment.ts';
import { derivePurposeKey, type Purpose } from '../keys/derivation.ts';
import type { RegionLot } from '../traps/kinds/region.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';

/** A question that is asked, and what the baselines say of it: `readingLogs` of each, the clean model's last. */
export interface BaselinedQuestion {
  readonly probe: Probe;
  readonly baselines: readonly ArrayLike<number>[];
}

/** A question of the serving log, in served order. */
export interface LoggedQuestion extends BaselinedQuestion {
  readonly record: ServedRecord;
  /** Baselines through replay twins; absent when none were trained. */
  readonly replayBaselines?: readonly ArrayLike<number>[];
}

/** A question of the serving log that may be shown for its coin. */
export interface CoinQuestion {
  readonly probe: Probe;
  readonly record: ServedRecord;
}

/** A lot of region traps that was claimed for this audit. */
export interface ClaimedRegionLot {
  readonly set: string;
  readonly lot: RegionLot;
  /** One probe per trap, in the lot's order. */
  readonly probes: readonly Probe[];
}

/** The protected model's fingerprint, and what a suspect's is ranked among. */
export interface FingerprintMaterial {
  /** Names of the fingerprint and of its probe set. */
  readonly fingerprint: string;
  readonly probeSet: string;
  readonly probes: ClassifierProbeSet;
  readonly protectedModel: ClassifierAnswers;
  readonly nulls: readonly QuirkNull[];
}

/** The finished data that tests work on; nothing here depends on the suspect. */
export interface AuditMaterial {
  readonly profile: ClassifierProfile;
  readonly epochKey: Uint8Array;
  readonly epochCommitment: string;
  /** First occurrences of each canonical question, in served order. */
  readonly logged: readonly LoggedQuestion[];
  /** Questions that were never served to anybody, fixed without the keys. */
  readonly fresh: readonly BaselinedQuestion[];
  /** Questions that a keyed coin answered, in served order: the coin traps of this audit. */
  readonly coins: readonly CoinQuestion[];
  readonly regionLots: readonly ClaimedRegionLot[];
  /** Absent where the protected model has no fingerprint with reference models. */
  readonly fingerprint?: FingerprintMaterial;
  /** Sealed by the owner: the tenant did not choose its questions from served answers. */
  readonly questionsNotChosenFromAnswers: boolean;
  /** Sealed by the owner: reference models are such as an innocent suspect could be one of. */
  readonly referencesExchangeable: boolean;
}

export const exchangeabilityAssumption =
  'independent suspects read inputs and are built as one kind of reference is (sealed by the owner)';

export const replayAssumption =
  'the logged questions were not chosen from served answers (sealed by the owner)';

/** The key of one purpose and the commitment that names it in evidence. */
export function keyMaterialOf(
  material: AuditMaterial,
  purpose: Purpose,
): { readonly key: Uint8Array; readonly commitment: string } {
  return {
    key: derivePurposeKey(material.epochKey, purpose),
    commitment: purposeCommitment(material.epochCommitment, purpose),
  };
}

export function freshProbe(index: number, input: Input): Probe {
  return { id: `fresh/${index}`, task: 'classify', input, repeat: 0 };
}

export function regionProbe(set: string, lot: number, place: number, input: Input): Probe {
  return { id: `trap/${set}/${lot}/${place}`, task: 'classify', input, repeat: 0 };
}

export function loggedProbe(record: ServedRecord): Probe {
  return { id: `log/${record.sequence}`, task: 'classify', input: record.input, repeat: 0 };
}

/**
 * Keeps the first record of each canonical question: coins and per-query signs of a repeated
 * question are one coin, and would count as many.
 */
export function firstOccurrences(records: readonly ServedRecord[]): ServedRecord[] {
  const seen = new Set<string>();
  return records.filter((record) => {
    const digest = inputDigest(record.input).toString('base64');
    if (seen.has(digest)) return false;
    seen.add(digest);
    return true;
  });
}
