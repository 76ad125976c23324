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
 * Returns the counter blocks 0, 1, 2 and so on of one seed: the seed with the number of the block
 * xored into its last word. They last until the next call.
 *
 * @param seed 16 bytes as four words
 */
export function consecutiveCounters(seed: Int32Array, blocks: number): Int32Array {
  const memory = memoryFor(blocks);
  if (!memory) return plainConsecutiveCounters(seed, blocks);
  memory.kernel.writeCounters(firstOffset, blocks, seed[0]!, seed[1]!, seed[2]!, seed[3]!);
  if (memory.last.length !== 4 * blocks) memory.last = memory.words.subarray(0, 4 * blocks);
  return memory.last;
}

/** What `consecutiveCounters` returns, in TypeScript. */
export function plainConsecutiveCounters(seed: Int32Array, blocks: number): Int32Array {
  const counters = new Int32Array(4 * blocks);
  const numbers = Int32Array.from({ length: blocks }, (_, number) => number);
  writeCounters(counters, 0, seed, 0, 0, numbers);
  return counters;
}

/**
 * Writes the counter blocks of some numbers, from word `into` on.
 *
 * @param from the first word of the first seed
 * @param seedStep words from one seed to the next; 0 when one serves all
 */
export function writeCounters(
  counters: Int32Array,
  into: number,
  seeds: Int32Array,
  from: number,
  seedStep: number,
  numbers: Int32Array,
): void {
  let at = into;
  let seed = from;
  for (let row = 0; row < numbers.length; row++) {
    counters[at] = seeds[seed]!;
    counters[at + 1] = seeds[seed + 1]!;
    counters[at + 2] = seeds[seed + 2]!;
    counters[at + 3] = seeds[seed + 3]! ^ numbers[row]!;
    at += 4;
    seed += seedStep;
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
