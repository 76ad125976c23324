/**
 * A set of rows of int32 that remembers 64 bits of each. Two rows that share them count as one:
 * whether that happens does not depend on any key, so it costs a pair and never validity.
 */
export class RowSet {
  #size = 0;
  #slots = new Int32Array(2 * 16);

  clear(): void {
    if (this.#size > 0) this.#slots.fill(0);
    this.#size = 0;
  }

  /** Adds the row of `width` numbers that begins at `from`, and says whether it is new. */
  add(rows: Int32Array, from: number, width: number): boolean {
    this.#reserve(1);
    const added = isNew(this.#slots, rows, from, width, 0, true);
    if (added) this.#size++;
    return added;
  }

  /** Says whether the row of `width` numbers that begins at `from` was added. */
  has(rows: Int32Array, from: number, width: number): boolean {
    return !isNew(this.#slots, rows, from, width, 0, false);
  }

  /**
   * Adds each row with its token, writes the indices of the new ones to `kept` in order, and returns
   * how many there are.
   */
  addNew(rows: Int32Array, width: number, tokens: Int32Array, kept: Int32Array): number {
    this.#reserve(tokens.length);
    const count = insertAll(this.#slots, rows, width, tokens, kept);
    this.#size += count;
    return count;
  }

  #reserve(more: number): void {
    if (4 * (this.#size + more) <= this.#slots.length) return;
    const slots = this.#slots;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(8 * (this.#size + more))));
    for (let slot = 0; slot < slots.length; slot += 2) {
      const [a, b] = [slots[slot]!, slots[slot + 1]!];
      if (a !== 0 || b !== 0) isFree(this.#slots, a, b, true);
    }
  }
}

function insertAll(
  slots: Int32Array,
  rows: Int32Array,
  width: number,
  tokens: Int32Array,
  kept: Int32Array,
): number {
  let count = 0;
  for (let index = 0; index < tokens.length; index++) {
    if (isNew(slots, rows, index * width, width, tokens[index]!, true)) kept[count++] = index;
  }
  return count;
}

/** Says whether a row with its token is not in the table yet, and puts it there if asked. */
function isNew(
  slots: Int32Array,
  rows: Int32Array,
  from: number,
  width: number,
  token: number,
  insert: boolean,
): boolean {
  let a = Math.imul(token ^ 0x9e3779b9, 0x2545f491);
  let b = Math.imul(token ^ 0x85ebca6b, 0x6c8e9cf5);
  for (let at = from; at < from + width; at++) {
    a = Math.imul(a ^ (a >>> 15) ^ rows[at]!, 0x2545f491);
    b = Math.imul(b ^ (b >>> 13) ^ rows[at]!, 0x6c8e9cf5);
  }
  a = mix(a);
  b = mix(b ^ a);
  return isFree(slots, a, a === 0 && b === 0 ? 1 : b, insert);
}

/** Double hashing (Knuth, section 6.4): rows that were made to begin at one slot part at the next. */
function isFree(slots: Int32Array, a: number, b: number, insert: boolean): boolean {
  const mask = slots.length - 2;
  const step = (b | 1) << 1;
  for (let slot = (2 * a) & mask; ; slot = (slot + step) & mask) {
    const held = slots[slot]!;
    if (held === a && slots[slot + 1] === b) return false;
    if (held === 0 && slots[slot + 1] === 0) {
      if (insert) {
        slots[slot] = a;
        slots[slot + 1] = b;
      }
      return true;
    }
  }
}

/** A bijection of 32-bit numbers that spreads every bit (Wellons 2018, lowbias32). */
function mix(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}
