/** The most rows that `addEqualRows` takes: what a byte counts up to. */
export const mostEqualRows = 255;

/**
 * Adds `value` times the sum of +1 and -1 to each carrier: rows [from, to) of packed signs, one bit
 * per carrier, all weighted alike.
 *
 * Counts the set bits of 32 carriers at once in bit planes, eight rows at a time with carry-save
 * adders (Warren, Hacker's Delight, 2012, section 5-1), so a sign costs a fifth of an operation.
 *
 * @param words row-major [rows, width]: bit b of word w belongs to carrier 32 w + b.
 * @param to at most `from + mostEqualRows`.
 * @param sums as many carriers as are wanted, at most 32 `width`.
 */
export function addEqualRows(
  words: Uint32Array,
  from: number,
  to: number,
  width: number,
  value: number,
  sums: Float64Array,
): void {
  const rows = to - from;
  const end = to * width;
  for (let word = 0; word < width; word += 1) {
    let [p0, p1, p2, p3, p4, p5, p6, p7] = [0, 0, 0, 0, 0, 0, 0, 0];
    let at = from * width + word;
    for (; at + 7 * width < end; at += 8 * width) {
      const a = words[at]!;
      const b = words[at + width]!;
      let half = p0 ^ a;
      const twosA = (p0 & a) | (half & b);
      p0 = half ^ b;
      const c = words[at + 2 * width]!;
      const d = words[at + 3 * width]!;
      half = p0 ^ c;
      const twosB = (p0 & c) | (half & d);
      p0 = half ^ d;
      half = p1 ^ twosA;
      const foursA = (p1 & twosA) | (half & twosB);
      p1 = half ^ twosB;
      const e = words[at + 4 * width]!;
      const f = words[at + 5 * width]!;
      half = p0 ^ e;
      const twosC = (p0 & e) | (half & f);
      p0 = half ^ f;
      const g = words[at + 6 * width]!;
      const h = words[at + 7 * width]!;
      half = p0 ^ g;
      const twosD = (p0 & g) | (half & h);
      p0 = half ^ h;
      half = p1 ^ twosC;
      const foursB = (p1 & twosC) | (half & twosD);
      p1 = half ^ twosD;
      half = p2 ^ foursA;
      let carry = (p2 & foursA) | (half & foursB);
      p2 = half ^ foursB;
      let next = p3 & carry;
      p3 ^= carry;
      carry = p4 & next;
      p4 ^= next;
      next = p5 & carry;
      p5 ^= carry;
      carry = p6 & next;
      p6 ^= next;
      p7 ^= carry;
    }
    for (; at < end; at += width) {
      const row = words[at]!;
      let carry = p0 & row;
      p0 ^= row;
      let next = p1 & carry;
      p1 ^= carry;
      carry = p2 & next;
      p2 ^= next;
      next = p3 & carry;
      p3 ^= carry;
      carry = p4 & next;
      p4 ^= next;
      next = p5 & carry;
      p5 ^= carry;
      carry = p6 & next;
      p6 ^= next;
      p7 ^= carry;
    }
    for (let shift = 0; shift < 32; shift += 4) {
      const carrier = 32 * word + shift;
      if (carrier >= sums.length) return;
      let counts = spread(p0 >>> shift) + (spread(p1 >>> shift) << 1) + (spread(p2 >>> shift) << 2);
      if (rows > 7) counts += (spread(p3 >>> shift) << 3) + (spread(p4 >>> shift) << 4);
      if (rows > 31) {
        counts += (spread(p5 >>> shift) << 5) + (spread(p6 >>> shift) << 6);
        counts |= spread(p7 >>> shift) << 7;
      }
      sums[carrier]! += value * (2 * (counts & 0xff) - rows);
      if (carrier + 1 < sums.length)
        sums[carrier + 1]! += value * (2 * ((counts >>> 8) & 0xff) - rows);
      if (carrier + 2 < sums.length)
        sums[carrier + 2]! += value * (2 * ((counts >>> 16) & 0xff) - rows);
      if (carrier + 3 < sums.length) sums[carrier + 3]! += value * (2 * (counts >>> 24) - rows);
    }
  }
}

/** Spreads the low four bits over four bytes. */
function spread(bits: number): number {
  return Math.imul(bits & 15, 0x204081) & 0x01010101;
}

const table = new Float64Array(16);

/**
 * Adds rows [from, to) of packed signs to the carriers, each row weighted by its own value.
 *
 * Takes four rows together: their 16 signed sums are a table, and each carrier's four bits an index
 * into it (Arlazarov, Dinic, Kronrod and Faradzev 1970).
 *
 * @param words row-major [rows, width], as `addEqualRows`.
 * @param values one per row.
 */
export function addRows(
  words: Uint32Array,
  from: number,
  to: number,
  width: number,
  values: ArrayLike<number>,
  sums: Float64Array,
): void {
  for (let row = from; row < to; row += 4) {
    const count = Math.min(4, to - row);
    fillTable(values, row, count);
    const at = row * width;
    for (let word = 0; word < width; word += 1) {
      const a = words[at + word]!;
      const b = count > 1 ? words[at + width + word]! : 0;
      const c = count > 2 ? words[at + 2 * width + word]! : 0;
      const d = count > 3 ? words[at + 3 * width + word]! : 0;
      for (let start = 0; start < 4; start += 1) {
        let indices =
          ((a >>> start) & 0x11111111) |
          (((b >>> start) & 0x11111111) << 1) |
          (((c >>> start) & 0x11111111) << 2) |
          (((d >>> start) & 0x11111111) << 3);
        const last = Math.min(sums.length, 32 * word + 32);
        for (let carrier = 32 * word + start; carrier < last; carrier += 4) {
          sums[carrier]! += table[indices & 15]!;
          indices >>>= 4;
        }
      }
    }
  }
}

/** The sums of up to four values, with the sign + where the index has a bit. */
function fillTable(values: ArrayLike<number>, from: number, count: number): void {
  let lowest = 0;
  for (let index = 0; index < count; index += 1) lowest -= values[from + index]!;
  table[0] = lowest;
  for (let bit = 0; bit < 4; bit += 1) {
    const step = bit < count ? 2 * values[from + bit]! : 0;
    for (let index = 0; index < 1 << bit; index += 1) {
      table[(1 << bit) + index] = table[index]! + step;
    }
  }
}
