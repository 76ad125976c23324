import { CoinTree, type KeyedBits } from './coin-tree.ts';
import { derivePurposeKey } from './derivation.ts';

/**
 * What marks a classifier's answers in one epoch, and reads the marks: as much of it as its holder
 * has. Reading anything else throws a RangeError.
 */
export interface ClassifierKeys {
  readonly labelCoins: KeyedBits;
  /** The per-query layer: the sign of each question, and the key of its class direction. */
  readonly perQuery: KeyedBits;
  readonly directionKey: Uint8Array;
  /** The smooth layer: the key of its carriers, and the key of their signs. */
  readonly carriersKey: Uint8Array;
  readonly signsKey: Uint8Array;
}

/**
 * Derives all keys of a classifier's marks from the epoch key.
 *
 * @throws TouchmarkError INPUT_INVALID when the epoch key does not have 32 bytes
 */
export function classifierKeys(epochKey: Uint8Array): ClassifierKeys {
  return {
    labelCoins: new CoinTree(derivePurposeKey(epochKey, 'label-coins')),
    perQuery: new CoinTree(derivePurposeKey(epochKey, 'probability-per-query')),
    directionKey: derivePurposeKey(epochKey, 'probability-direction'),
    carriersKey: derivePurposeKey(epochKey, 'probability-carriers'),
    signsKey: derivePurposeKey(epochKey, 'probability-signs'),
  };
}
