const stateWords = 624;
const shift = 397;

/**
 * PyTorch's CPU generator: MT19937 seeded as `init_genrand` (Matsumoto and Nishimura 1998, "Mersenne
 * Twister") with the lowest 32 bits of the seed. A GPU draws other numbers from the same seed.
 */
export class TorchGenerator {
  readonly #state = new Int32Array(stateWords);
  #next = stateWords;

  /** @param seed its lowest 32 bits are used */
  constructor(seed: number) {
    seedState(this.#state, seed);
  }

  /** Returns the next whole number in [0, 2^32). */
  next32(): number {
    if (this.#next === stateWords) {
      twist(this.#state);
      this.#next = 0;
    }
    let word = this.#state[this.#next++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** Returns a whole number in [0, range), as `torch.randint` does: the next 32 bits modulo range. */
  below(range: number): number {
    return (this.next32() % (range >>> 0)) >>> 0;
  }
}

/** Returns the first `count` numbers of `torch.randperm(size)` under a seed. */
export function permutationStart(seed: number, size: number, count: number): Int32Array {
  const generator = new TorchGenerator(seed);
  const numbers = new Int32Array(size);
  for (let index = 0; index < size; index++) numbers[index] = index;
  const swaps = Math.min(count, size - 1);
  for (let index = 0; index < swaps; index++) {
    const other = index + generator.below(size - index);
    const number = numbers[index]!;
    numbers[index] = numbers[other]!;
    numbers[other] = number;
  }
  return numbers.subarray(0, count);
}

/**
 * Says whether a number is among the first `count` of `torch.randperm(size)` under a seed, following
 * only its own way through the shuffle.
 */
export function isInPermutationStart(
  seed: number,
  size: number,
  count: number,
  number: number,
): boolean {
  const generator = new TorchGenerator(seed);
  const swaps = Math.min(count, size - 1);
  let place = number;
  for (let index = 0; index < swaps; index++) {
    const other = index + generator.below(size - index);
    if (other === place) return true;
    if (index === place) place = other;
  }
  return place < count;
}

function seedState(state: Int32Array, seed: number): void {
  state[0] = seed;
  for (let index = 1; index < stateWords; index++) {
    const before = state[index - 1]!;
    state[index] = (Math.imul(1812433253, before ^ (before >>> 30)) + index) | 0;
  }
}

function twist(state: Int32Array): void {
  for (let index = 0; index < stateWords; index++) {
    const following = state[(index + 1) % stateWords]!;
    const mixed = (state[index]! & 0x80000000) | (following & 0x7fffffff);
    const odd = -(following & 1) & 0x9908b0df;
    state[index] = state[(index + shift) % stateWords]! ^ (mixed >>> 1) ^ odd;
  }
}
