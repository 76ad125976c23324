/** Numbers pairs of int32 in the order of their first insertion: 0, 1, 2, ... */
export class PairTable {
  #size = 0;
  #slots: Int32Array;
  #firsts: Int32Array;
  #seconds: Int32Array;

  /** @param expected pairs to make room for; more are taken too */
  constructor(expected: number) {
    const capacity = Math.max(8, expected);
    this.#firsts = new Int32Array(capacity);
    this.#seconds = new Int32Array(capacity);
    this.#slots = freeSlots(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** The first members of the pairs, by number. */
  get firsts(): Int32Array {
    return this.#firsts.subarray(0, this.#size);
  }

  /** The second members of the pairs, by number. */
  get seconds(): Int32Array {
    return this.#seconds.subarray(0, this.#size);
  }

  /** Returns the number of a pair, or -1 when it was never inserted. */
  find(first: number, second: number): number {
    return this.#slots[slotOf(this.#slots, this.#firsts, this.#seconds, first, second)]! - 1;
  }

  /** Returns the number of a pair, a new one when it is the first of its kind. */
  insert(first: number, second: number): number {
    const slot = slotOf(this.#slots, this.#firsts, this.#seconds, first, second);
    const held = this.#slots[slot]!;
    if (held > 0) return held - 1;
    const number = this.#size++;
    if (number === this.#firsts.length) this.#grow();
    this.#firsts[number] = first;
    this.#seconds[number] = second;
    const free = slotOf(this.#slots, this.#firsts, this.#seconds, first, second);
    this.#slots[free] = number + 1;
    return number;
  }

  /** Returns a table of the same pairs that takes no more room than they need. */
  compact(): PairTable {
    const table = new PairTable(this.#size);
    for (let number = 0; number < this.#size; number++) {
      table.insert(this.#firsts[number]!, this.#seconds[number]!);
    }
    return table;
  }

  #grow(): void {
    this.#firsts = doubled(this.#firsts);
    this.#seconds = doubled(this.#seconds);
    this.#slots = freeSlots(this.#firsts.length);
    for (let number = 0; number < this.#size - 1; number++) {
      const [first, second] = [this.#firsts[number]!, this.#seconds[number]!];
      this.#slots[slotOf(this.#slots, this.#firsts, this.#seconds, first, second)] = number + 1;
    }
  }
}

/** Returns the slot that holds a pair, or the free one where it belongs. Slots hold number + 1. */
function slotOf(
  slots: Int32Array,
  firsts: Int32Array,
  seconds: Int32Array,
  first: number,
  second: number,
): number {
  const mask = slots.length - 1;
  for (let slot = spread(first, second) & mask; ; slot = (slot + 1) & mask) {
    const number = slots[slot]! - 1;
    if (number < 0 || (firsts[number] === first && seconds[number] === second)) return slot;
  }
}

/** Mixes a pair into 32 bits (Wellons 2018, lowbias32). */
function spread(first: number, second: number): number {
  let mixed = Math.imul(first, 0x9e3779b9) ^ second;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}

function freeSlots(pairs: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(2 * pairs)));
}

function doubled(numbers: Int32Array): Int32Array {
  const larger = new Int32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
