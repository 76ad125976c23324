import type { Input } from '../../contracts.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import type { KeyedBits } from '../../keys/coin-tree.ts';
import { topTwo } from '../probability/distribution.ts';

/** A fair keyed choice between the two likeliest classes of one input. */
export interface Coin {
  readonly top: number;
  readonly second: number;
  /** 0 answers `top`, 1 answers `second`. */
  readonly outcome: 0 | 1;
}

/** The difference between the two largest probabilities. */
export function margin(clean: ArrayLike<number>): number {
  const [top, second] = topTwo(clean);
  return clean[top]! - clean[second]!;
}

/**
 * Tosses the coin of one input if its margin is under `threshold`, else returns undefined.
 *
 * The coin is one keyed bit of the canonical input under the coins of (tenant, epoch): the same
 * question gets the same answer for the whole epoch, and nobody without the key can foretell it.
 *
 * @param threshold tau, a difference of probabilities in [0, 1].
 */
export function tossCoin(
  coins: KeyedBits,
  input: Input,
  clean: ArrayLike<number>,
  threshold: number,
): Coin | undefined {
  const pair = closePair(clean, threshold);
  return pair && coinOf(coins, inputDigest(input), pair);
}

/** The two best classes where their probabilities are closer than `threshold`, else undefined. */
export function closePair(
  clean: ArrayLike<number>,
  threshold: number,
): readonly [top: number, second: number] | undefined {
  const pair = topTwo(clean);
  const [top, second] = pair;
  return second < 0 || clean[top]! - clean[second]! >= threshold ? undefined : pair;
}

/** The coin of the input with this digest (`inputDigest`) between its two best classes. */
export function coinOf(
  coins: KeyedBits,
  digest: Uint8Array,
  [top, second]: readonly [top: number, second: number],
): Coin {
  return { top, second, outcome: coins.bit(digest) };
}

/** The class that a coin answers. */
export function chosenClass({ top, second, outcome }: Coin): number {
  return outcome === 1 ? second : top;
}

/** Exchanges the probabilities of the coin's two classes when it says so. */
export function applyCoin(distribution: Float64Array, coin: Coin | undefined): Float64Array {
  if (coin === undefined || coin.outcome === 0) return distribution;
  const swapped = distribution.slice();
  swapped[coin.top] = distribution[coin.second]!;
  swapped[coin.second] = distribution[coin.top]!;
  return swapped;
}

/**
 * The threshold under which about `share` of the owner's traffic falls: the empirical quantile of
 * the margins. Wants more than 1,400 margins to be stable at a share of 2.5%.
 */
export function marginThreshold(margins: readonly number[], share: number): number {
  const sorted = [...margins].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
