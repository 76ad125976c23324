import { TouchmarkError } from '../../errors.ts';
import { scratchOf } from './scratch.ts';

/** A sparse vector: strictly increasing is not required, but each index appears once. */
export interface SparseVector {
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

export interface NgramOptions {
  /** Length of the hashed vector; a power of two. */
  readonly dimensions: number;
  readonly shortest: number;
  readonly longest: number;
  /** Offsets the hash, so that two parties need not share features. */
  readonly seed: number;
}

/** The features that text carriers read. Frozen: marks embedded with other features are not found. */
export const carrierNgrams: NgramOptions = { dimensions: 4096, shortest: 1, longest: 4, seed: 0 };

const wordBoundary = 0x20;

/**
 * Hashes the character n-grams of a text into a sparse vector of unit Euclidean length.
 *
 * Feature hashing (Weinberger et al. 2009) without signs: counts per bucket, damped by a square
 * root, then divided by the norm. The text is lower-cased NFC with one boundary on either side;
 * n-grams are taken over UTF-16 units. An empty text gives the n-grams of its boundaries.
 *
 * @throws INPUT_INVALID when `dimensions` is not a power of two of at most 2^24.
 */
export function hashNgrams(text: string, options: NgramOptions): SparseVector {
  const { dimensions, shortest, longest, seed } = options;
  if (dimensions < 1 || dimensions > 1 << 24 || (dimensions & (dimensions - 1)) !== 0) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `feature dimensions ${dimensions} are no power of two`,
      {
        hint: 'use 1024, 4096, 16384 or another power of two up to 16777216',
      },
    );
  }
  const folded = text.normalize('NFC').toLowerCase();
  const units = boundedUnits(folded);
  const length = folded.length + 2;
  const most = Math.min(dimensions, length * Math.max(1, longest));
  const buckets = scratchBuckets(most);
  const counts = scratchCounts(most);
  const size = Math.min(dimensions, 2 ** Math.ceil(Math.log2(8 * most)));
  const slots = scratchSlots(size).fill(0, 0, size);
  let found = 0;
  for (let start = 0; start < length; start += 1) {
    let hash = (0x811c9dc5 ^ seed) >>> 0;
    const end = Math.min(length, start + longest);
    for (let position = start; position < end; position += 1) {
      hash = Math.imul(hash ^ units[position]!, 0x01000193);
      if (position - start + 1 < shortest) continue;
      const bucket = avalanche(hash) & (dimensions - 1);
      let slot = bucket & (size - 1);
      let place = slots[slot]!;
      while (place !== 0 && buckets[place - 1] !== bucket) {
        slot = (slot + 1) & (size - 1);
        place = slots[slot]!;
      }
      if (place === 0) {
        buckets[found] = bucket;
        counts[found] = 1;
        found += 1;
        slots[slot] = found;
      } else counts[place - 1]! += 1;
    }
  }
  return unitVector(buckets.slice(0, found), counts);
}

const scratchUnits = scratchOf((length) => new Uint16Array(length));
const scratchBuckets = scratchOf((length) => new Uint32Array(length));
const scratchCounts = scratchOf((length) => new Uint32Array(length));
/** An open-addressed table: the place of each slot's bucket, counted from 1. */
const scratchSlots = scratchOf((length) => new Uint32Array(length));

function boundedUnits(folded: string): Uint16Array {
  const units = scratchUnits(folded.length + 2);
  units[0] = wordBoundary;
  for (let index = 0; index < folded.length; index += 1) {
    units[index + 1] = folded.charCodeAt(index);
  }
  units[folded.length + 1] = wordBoundary;
  return units;
}

/** The finaliser of MurmurHash3 (Appleby 2011), so that all bits of the hash reach the bucket. */
function avalanche(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Square roots of counts, as float32. */
const roots = Float32Array.from({ length: 256 }, (_, count) => Math.sqrt(count));

function unitVector(indices: Uint32Array, counts: Uint32Array): SparseVector {
  let squares = 0;
  for (let entry = 0; entry < indices.length; entry += 1) squares += counts[entry]!;
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  const values = new Float32Array(indices.length);
  for (let entry = 0; entry < values.length; entry += 1) {
    const count = counts[entry]!;
    values[entry] = scale * (count < roots.length ? roots[count]! : Math.fround(Math.sqrt(count)));
  }
  return { indices, values };
}

/** All entries of a vector, zeros too. */
export function denseVector(values: ArrayLike<number>): SparseVector {
  const indices = new Uint32Array(values.length);
  for (let index = 0; index < indices.length; index += 1) indices[index] = index;
  return { indices, values: new Float32Array(values) };
}
