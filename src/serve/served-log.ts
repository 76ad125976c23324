import type { LoggedAnswer } from '../contracts.ts';

/** What serving needs of a log; `ServingLog` keeps it in files, another store may keep it elsewhere. */
export interface ServedLog {
  /** Resolves, in order, once the records outlive this process. */
  append(records: readonly LoggedAnswer[]): Promise<readonly number[]>;
  /**
   * Resolves once the log has the digest, 64 hexadecimal digits, before all that is appended later;
   * sealing it again changes nothing.
   */
  seal?(what: 'epoch' | 'profile', digest: string): Promise<void>;
}

/** What serving needs of the key ring, or of a bundle of epoch keys. */
export interface EpochKeys {
  /** @throws TouchmarkError TENANT_UNKNOWN */
  currentEpoch(tenant: string): { readonly epoch: string; readonly commitment: string };
  epochKey(tenant: string, epoch: string): Uint8Array;
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
