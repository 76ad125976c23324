import type { ServedRecord } from '../contracts.ts';
import type { KeyedBits } from '../keys/coin-tree.ts';
import { tossCoin } from '../watermark/label/coins.ts';
import type { ComputedMaterial } from './stored-material.ts';

/** What every audit of one tenant's epoch shares, before traps are claimed for one of them. */
export type SharedMaterial = Omit<ComputedMaterial, 'coins' | 'regionLots'>;

/** The traps of one audit. */
export interface AuditTraps {
  /** Sequences of the claimed coin traps; `all` where none were ever sealed for the epoch. */
  readonly coins: ReadonlySet<number> | 'all';
  readonly regionLots: ComputedMaterial['regionLots'];
}

/** Returns the sequences of the records on which a keyed coin fell. */
export function coinSequences(
  records: readonly ServedRecord[],
  coins: KeyedBits,
  marginThreshold: number,
): ReadonlySet<number> {
  return new Set(
    records
      .filter(({ input, clean }) => tossCoin(coins, input, clean, marginThreshold) !== undefined)
      .map(({ sequence }) => sequence),
  );
}

/**
 * Joins the shared material with the traps of one audit. Where coin traps are sealed, questions on
 * which a coin fell are left out unless they are claimed: asked for any other test, they would be
 * shown, and could not be traps of a later audit any more. Which ones are left out depends on the
 * questions, the clean answers and the dealing of lots, never on a coin.
 */
export function withTraps(
  shared: SharedMaterial,
  fallen: ReadonlySet<number>,
  { coins, regionLots }: AuditTraps,
): ComputedMaterial {
  if (coins === 'all') {
    const sequences = shared.logged.map(({ sequence }) => sequence);
    return { ...shared, coins: sequences.filter((each) => fallen.has(each)), regionLots };
  }
  return {
    ...shared,
    logged: shared.logged.filter(({ sequence }) => !fallen.has(sequence) || coins.has(sequence)),
    coins: [...coins].sort((left, right) => left - right),
    regionLots,
  };
}
