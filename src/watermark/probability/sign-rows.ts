import { KeyedBlocks } from '../../keys/keyed-stream.ts';
import type { SparseVector } from './features.ts';
import { scratchOf } from './scratch.ts';
import { addEqualRows, addRows, mostEqualRows } from './sign-sums.ts';

const carriersPerBlock = 128;
const wordsPerBlock = 4;

/** Rows that are read from the keystream together. */
const rowsAtOnce = 1024;

/** Different values up to which a vector's entries are sorted by value. */
const mostValues = 16;

/**
 * The signs of linear carriers, packed by feature: row f is the bits of one feature over all
 * carriers, so that the rows of one input are a few blocks of a keystream each, wherever they lie,
 * and nothing but the key is kept.
 *
 * Row f is the blocks [f B, (f + 1) B) of the keystream of (key, domain), where B is the number of
 * carriers over 128, rounded up; carrier j is bit j mod 8 of byte floor(j / 8), and 1 means +1.
 */
export class SignRows {
  readonly #blocks: KeyedBlocks;
  readonly #blocksPerRow: number;

  /** @throws INPUT_INVALID when the key does not have 32 bytes. */
  constructor(key: Uint8Array, domain: string, carriers: number) {
    this.#blocks = new KeyedBlocks(key, domain);
    this.#blocksPerRow = Math.ceil(carriers / carriersPerBlock);
  }

  /**
   * Adds sum_f x_f sign(j, f) to each carrier's sum.
   *
   * Counts of n-grams take few values, and equal ones are counted in bits; other vectors are added
   * up entry by entry. Which of the two is a function of the vector alone.
   */
  project(features: SparseVector, sums: Float64Array): void {
    const sorted = sortByValue(features);
    const { indices, values } = sorted ?? features;
    const width = this.#blocksPerRow * wordsPerBlock;
    const end = features.indices.length;
    for (let first = 0; first < end; first += rowsAtOnce) {
      const last = Math.min(first + rowsAtOnce, end);
      const words = this.#blocks.runs(indices.subarray(first, last), this.#blocksPerRow);
      const weights = values.subarray(first, last);
      if (sorted === undefined) addRows(words, 0, last - first, width, weights, sums);
      else addSorted(words, last - first, width, weights, sums);
    }
  }
}

/** Rows of one value below which counting them in bits is dearer than adding them up. */
const fewestEqualRows = 4;

function addSorted(
  words: Uint32Array,
  count: number,
  width: number,
  weights: Float32Array,
  sums: Float64Array,
): void {
  let from = 0;
  while (from < count) {
    const value = weights[from]!;
    const most = Math.min(count, from + mostEqualRows);
    let to = from + 1;
    while (to < most && weights[to] === value) to += 1;
    if (to - from < fewestEqualRows) break;
    addEqualRows(words, from, to, width, value, sums);
    from = to;
  }
  addRows(words, from, count, width, weights, sums);
}

/** Open-addressed by the bits of a value: its kind, counted from 1. */
const slotKinds = new Uint8Array(64);
const slotPatterns = new Uint32Array(64);
const kindSizes = new Uint32Array(mostValues);
const kindPlaces = new Uint32Array(mostValues);

const scratchKinds = scratchOf((length) => new Uint8Array(length));
const scratchIndices = scratchOf((length) => new Uint32Array(length));
const scratchValues = scratchOf((length) => new Float32Array(length));

/**
 * The same entries with equal values beside each other, the most frequent first, in scratch arrays;
 * undefined when too many differ.
 */
function sortByValue({ indices, values }: SparseVector): SparseVector | undefined {
  const count = indices.length;
  const bits = new Uint32Array(values.buffer, values.byteOffset, count);
  const kinds = scratchKinds(count);
  let found = 0;
  slotKinds.fill(0);
  for (let entry = 0; entry < count; entry += 1) {
    const pattern = bits[entry]!;
    let slot = Math.imul(pattern, 0x9e3779b1) >>> 26;
    while (slotKinds[slot] !== 0 && slotPatterns[slot] !== pattern) slot = (slot + 1) & 63;
    if (slotKinds[slot] === 0) {
      if (found === mostValues) return undefined;
      slotPatterns[slot] = pattern;
      kindSizes[found] = 0;
      found += 1;
      slotKinds[slot] = found;
    }
    const kind = slotKinds[slot]! - 1;
    kinds[entry] = kind;
    kindSizes[kind]! += 1;
  }
  placeKinds(found);
  const sortedIndices = scratchIndices(count);
  const sortedValues = scratchValues(count);
  for (let entry = 0; entry < count; entry += 1) {
    const kind = kinds[entry]!;
    const to = kindPlaces[kind]!;
    kindPlaces[kind] = to + 1;
    sortedIndices[to] = indices[entry]!;
    sortedValues[to] = values[entry]!;
  }
  return { indices: sortedIndices, values: sortedValues };
}

/** Where each kind begins when larger ones come first, of equal ones the one found first. */
function placeKinds(found: number): void {
  for (let kind = 0; kind < found; kind += 1) {
    let place = 0;
    for (let other = 0; other < found; other += 1) {
      const size = kindSizes[other]!;
      if (size > kindSizes[kind]! || (size === kindSizes[kind] && other < kind)) place += size;
    }
    kindPlaces[kind] = place;
  }
}
