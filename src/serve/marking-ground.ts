import type { AnswerLog } from '../ledger/answer-log.ts';
import type { AlarmListener, FailurePolicy } from './failure-policy.ts';

/** What serving needs of a log; a log that seals has an epoch's commitment before its first record. */
export type ServedLog = Pick<AnswerLog, 'append'> & Partial<Pick<AnswerLog, 'seal'>>;

/** What serving needs of the key ring, or of a bundle of epoch keys. */
export interface EpochKeys {
  /** @throws TouchmarkError TENANT_UNKNOWN */
  currentEpoch(tenant: string): { readonly epoch: string; readonly commitment: string };
  epochKey(tenant: string, epoch: string): Uint8Array;
}

/** What every marking stands on. */
export interface MarkingGround {
  readonly modelVersion: string;
  readonly keys: EpochKeys;
  readonly log: ServedLog;
  readonly clock: () => Date;
  /** By default nothing is served that is not marked and recorded. */
  readonly policy?: FailurePolicy;
  readonly onAlarm?: AlarmListener;
}

/**
 * Returns what seals, before the first record under an epoch, the profile's digest and the epoch's
 * commitment. A digest comes with or without the name of its algorithm.
 */
export function sealingBefore(log: ServedLog, profileDigest: string) {
  const sealed = new Set<string>();
  return async (commitment: string): Promise<void> => {
    if (sealed.has(commitment)) return;
    await log.seal?.('profile', hexOf(profileDigest));
    await log.seal?.('epoch', hexOf(commitment));
    sealed.add(commitment);
  };
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}
