import { type CoinTrapSet, lotOf } from './coin.ts';

/** A record of the log on which a keyed coin fell, for the first time in its epoch. */
export interface FallenCoin {
  readonly sequence: number;
  /** False where thinning leaves it out, so that traps look like traffic. */
  readonly isKept: boolean;
}

/** The coins of one set. */
export interface ChosenCoins {
  readonly sequences: readonly number[];
  /** The last record that was looked at. */
  readonly through: number;
  /** Coins that thinning left out up to there. */
  readonly leftOut: number;
}

/**
 * Chooses the coins of one set: in served order from the record after `after` on, until `wanted` are
 * found or the log ends: a stopping time, at which a betting martingale is still one. Whether a coin
 * is in the set is known when it falls, and does not depend on how many follow.
 *
 * @param coins of the whole epoch, in served order
 * @param last the last record of the epoch so far
 */
export function chooseCoins(
  coins: readonly FallenCoin[],
  { after, wanted, last }: { after: number; wanted: number; last: number },
): ChosenCoins {
  const fresh = coins.filter(({ sequence }) => sequence > after);
  const kept = fresh.filter(({ isKept }) => isKept).slice(0, wanted);
  const through = kept.length === wanted ? (kept.at(-1)?.sequence ?? after) : last;
  return {
    sequences: kept.map(({ sequence }) => sequence),
    through,
    leftOut: fresh.filter(({ sequence, isKept }) => !isKept && sequence <= through).length,
  };
}

/**
 * Deals coins into lots by `lotOf`, each lot in served order. Some lots may stay empty.
 *
 * @param key the `trap-lots` key of (tenant, epoch)
 * @param salt gives sixteen random bytes in hexadecimal at each call
 * @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes
 */
export function dealCoins(
  key: Uint8Array,
  sequences: readonly number[],
  lots: number,
  salt: () => string,
): CoinTrapSet['lots'] {
  const dealt = Array.from({ length: lots }, (): CoinTrapSet['lots'][number] => ({ traps: [] }));
  for (const sequence of sequences) {
    dealt[lotOf(key, sequence, lots)]!.traps.push({ sequence, salt: salt() });
  }
  return dealt;
}
