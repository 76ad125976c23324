import seedrandom from 'seedrandom';
import { TouchmarkError } from '../errors.ts';

/** A reproducible stream of draws; two streams of one seed are equal. */
export interface SeededRandom {
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number;
  /** A whole number in 0..below-1. */
  integer(below: number): number;
  /** A standard normal number (Marsaglia and Bray 1964, polar method). */
  normal(): number;
  /** A new array in uniformly random order (Fisher and Yates; Knuth 3.4.2 P). */
  shuffle<Item>(items: readonly Item[]): Item[];
  /** A uniformly random sample without replacement, in random order. */
  choose<Item>(items: readonly Item[], count: number): Item[];
}

/**
 * Returns the stream of draws of a seed, by seedrandom's ARC4. For sampling and simulation only:
 * keys, coins and signs never come from here.
 *
 * @throws INPUT_INVALID, from `integer` and `choose`, for a bound that is not an integer >= 1 or a
 * count outside 0..length.
 */
export function seededRandom(seed: string): SeededRandom {
  const generator = seedrandom(seed);
  const uniform = () => generator.double();
  let spare: number | undefined;

  function integer(below: number): number {
    if (!Number.isSafeInteger(below) || below < 1) {
      throw new TouchmarkError('INPUT_INVALID', `sampling: no whole number lies below ${below}`, {
        hint: 'Give an integer bound of at least 1.',
      });
    }
    return Math.floor(uniform() * below);
  }

  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  }

  function choose<Item>(items: readonly Item[], count: number): Item[] {
    if (!Number.isSafeInteger(count) || count < 0 || count > items.length) {
      throw new TouchmarkError('INPUT_INVALID', `sampling: ${count} of ${items.length} items`, {
        hint: 'Choose a whole number of items, at most as many as there are.',
      });
    }
    const pool = [...items];
    for (let at = 0; at < count; at++) {
      const other = at + integer(pool.length - at);
      [pool[at], pool[other]] = [pool[other]!, pool[at]!];
    }
    return pool.slice(0, count);
  }

  return { uniform, integer, normal, choose, shuffle: (items) => choose(items, items.length) };
}
