import type { BeaconChain } from '../../keys/beacon.ts';

/** What a reader knows from elsewhere; nothing of it comes from the owner. */
export interface Trust {
  /** The owner's key identifier, as the reader has it from the owner. */
  readonly ownerKey?: string;
  /** Certificates of timestamp authorities, PEM. */
  readonly authorities?: readonly string[];
  /** What the reader, or a witness of theirs, saw published: roots of checkpoints or hashes of plans. */
  readonly witnessed?: readonly { readonly digest: string; readonly at: Date }[];
  /** Chains of public randomness beside the League of Entropy's. */
  readonly chains?: readonly BeaconChain[];
  /** How many keys, logs, plans and suspects the reader supposes were at the owner's choice, at least 1. */
  readonly choices?: number;
  /** The first provable availability of the suspect or an earlier version of it. */
  readonly availableSince?: Date;
}
