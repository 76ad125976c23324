import { firstOffset, instantiateKernel, type KernelExports } from './instance.ts';

const blockBytes = 16;
const fewestBlocks = 4096;

interface CounterMemory {
  readonly kernel: KernelExports;
  readonly words: Int32Array;
  /** The part of the words that was returned last: streams of one length follow each other. */
  last: Int32Array;
}
let counterMemory: CounterMemory | undefined;

/**
 * Returns the 128-bit big-endian sums of one seed and 0, 1, 2 and so on, for counter mode. They last
 * until the next call.
 *
 * @param seed 16 bytes as four words
 */
export function consecutiveCounters(seed: Int32Array, blocks: number): Int32Array {
  const low = swapped(seed[3]!);
  const memory = (low >>> 0) + blocks > 2 ** 32 ? undefined : memoryFor(blocks);
  if (!memory) return plainConsecutiveCounters(seed, blocks);
  memory.kernel.writeCounters(firstOffset, blocks, seed[0]!, seed[1]!, seed[2]!, low);
  if (memory.last.length !== 4 * blocks) memory.last = memory.words.subarray(0, 4 * blocks);
  return memory.last;
}

/** What `consecutiveCounters` returns, in TypeScript. */
export function plainConsecutiveCounters(seed: Int32Array, blocks: number): Int32Array {
  const counters = new Int32Array(4 * blocks);
  const indices = Int32Array.from({ length: blocks }, (_, index) => index);
  writeSums(counters, 0, seed, 0, 0, indices);
  return counters;
}

/**
 * Writes the 128-bit big-endian sums of seeds and indices below 2^31, from word `into` on.
 *
 * @param from the first word of the first seed
 * @param seedStep words from one seed to the next; 0 when one serves all
 */
export function writeSums(
  counters: Int32Array,
  into: number,
  seeds: Int32Array,
  from: number,
  seedStep: number,
  indices: Int32Array,
): void {
  for (let row = 0; row < indices.length; row++) {
    const at = into + 4 * row;
    const seed = from + seedStep * row;
    const low = swapped(seeds[seed + 3]!);
    const sum = (low + indices[row]!) | 0;
    counters[at] = seeds[seed]!;
    counters[at + 1] = seeds[seed + 1]!;
    counters[at + 2] = seeds[seed + 2]!;
    counters[at + 3] = swapped(sum);
    if (sum >>> 0 < low >>> 0) carry(counters, at);
  }
}

function memoryFor(blocks: number): CounterMemory | undefined {
  if (counterMemory && counterMemory.words.length >= 4 * blocks) return counterMemory;
  const room = Math.max(blocks, fewestBlocks);
  const instance = instantiateKernel(firstOffset + (room + 3) * blockBytes);
  if (!instance) return undefined;
  const words = new Int32Array(instance.memory, firstOffset, 4 * room);
  counterMemory = { kernel: instance.kernel, words, last: words };
  return counterMemory;
}

function carry(counters: Int32Array, block: number): void {
  for (let at = block + 2; at >= block; at--) {
    counters[at] = swapped((swapped(counters[at]!) + 1) | 0);
    if (counters[at] !== 0) return;
  }
}

/** The same four bytes in the other order. */
function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
