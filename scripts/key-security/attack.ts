import { nativePrf } from '../../src/watermark/text/prfs/native.ts';
import type { TokenPairs } from '../../src/watermark/text/prfs/prf.ts';
import { synthIdTable, tableBit, tableInputs } from '../../src/watermark/text/prfs/synthid-hf.ts';
import { tournamentScheme } from '../../src/watermark/text/schemes/tournament.ts';

/** The guesses that a search through 16 bits tries. */
const guesses = 65536;

/** A guess of 16 bits, and how many deviations more ones than half it sees in the text. */
export interface Guess {
  readonly value: number;
  readonly z: number;
}

/** What a search found. */
export interface Found {
  /** The guesses that fit best, as many as there are secrets. */
  readonly best: readonly Guess[];
  readonly recovered: number;
  readonly secrets: number;
}

/**
 * Searches for the keys of synthid-hf with nothing but marked text. The function is a public table at
 * (a hash of context and token, plus the key) modulo 65536: under a true key a marked text sees more
 * ones, whatever the other layers' keys are. So all 65,536 guesses are ranked by their ones, and as
 * many are kept as there are layers.
 *
 * @param keys what the search is to find; it does not use them
 */
export function searchTableKeys(pairs: TokenPairs, keys: readonly number[]): Found {
  const inputs = tableInputs(pairs);
  const table = synthIdTable();
  const bitOfSum = Uint8Array.from({ length: guesses }, (_, sum) => tableBit(table, sum, 0));
  const ones = new Float64Array(guesses);
  for (let guess = 0; guess < guesses; guess++) ones[guess] = countOnes(bitOfSum, inputs, guess);
  const best = mostOnes(ones, pairs.count, keys.length);
  const secrets = new Set(keys.map((key) => key % guesses));
  return {
    best,
    recovered: best.filter(({ value }) => secrets.has(value)).length,
    secrets: secrets.size,
  };
}

interface SearchSize {
  readonly depth: number;
  readonly parts: number;
  readonly tried?: number;
}

/**
 * The same search against `native`: for each 16 bits of the epoch key in turn all 65,536 guesses are
 * ranked by the ones of all layers, and the best is kept. Nobody knows the other 240 bits; they are
 * set to zero. If parts of the key could be found one by one, they would be found here.
 *
 * @param epochKey what the search is to find, its first `parts` x 16 bits
 * @param tried how many guesses to try of the 65,536, from 0 on
 */
export function searchNativeKey(
  pairs: TokenPairs,
  epochKey: Uint8Array,
  { depth, parts, tried = guesses }: SearchSize,
): Found {
  const key = Buffer.from(epochKey);
  const best: Guess[] = [];
  let recovered = 0;
  for (let part = 0; part < parts; part++) {
    const ones = new Float64Array(tried);
    for (let guess = 0; guess < tried; guess++) {
      const guessed = Buffer.alloc(key.length);
      guessed.writeUInt16LE(guess, 2 * part);
      ones[guess] = nativeOnes(pairs, guessed, depth);
    }
    const found = mostOnes(ones, pairs.count * depth, 1);
    best.push(...found);
    if (found[0]?.value === key.readUInt16LE(2 * part)) recovered++;
  }
  return { best, recovered, secrets: parts };
}

/** The largest of 65,536 independent standard normal numbers is this on average. */
export const chanceZ = 4.29;

function nativeOnes(pairs: TokenPairs, epochKey: Uint8Array, depth: number): number {
  const scheme = tournamentScheme(nativePrf(epochKey, pairs.width).leaf(depth), 2 ** 24);
  return scheme.scores(pairs).reduce((sum, score) => sum + score, 0);
}

function countOnes(bitOfSum: Uint8Array, inputs: Int32Array, guess: number): number {
  let ones = 0;
  for (let row = 0; row < inputs.length; row++) {
    ones += bitOfSum[(inputs[row]! + guess) & (guesses - 1)]!;
  }
  return ones;
}

function mostOnes(ones: Float64Array, bits: number, count: number): Guess[] {
  const order = Array.from(ones.keys()).sort((a, b) => ones[b]! - ones[a]!);
  return order
    .slice(0, count)
    .map((value) => ({ value, z: (2 * ones[value]! - bits) / Math.sqrt(bits) }));
}
