import type { Input, Probe, ServedRecord } from '../contracts.ts';
import type { ClassifierAnswers } from '../fingerprints/classifier-answers.ts';
import type { ClassifierProbeSet } from '../fingerprints/probe-set.ts';
import type { QuirkNull } from '../fingerprints/reference-null.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import type { ClassifierKeys } from '../keys/classifier-keys.ts';
import { purposeCommitment } from '../keys/commitment.ts';
import type { Purpose } from '../keys/derivation.ts';
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
  /** What reads the epoch's marks: all of it for the owner, what was revealed for others. */
  readonly keys: ClassifierKeys;
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

/** Returns what names the key material of one purpose in evidence. */
export function keyMaterialOf(
  { epochCommitment }: Pick<AuditMaterial, 'epochCommitment'>,
  purpose: Purpose,
): string {
  return purposeCommitment(epochCommitment, purpose);
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
