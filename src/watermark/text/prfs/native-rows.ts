/** The native function's loops over rows: at the top level, where they run fastest. */

/** The first block of a context holds its domain and width, and three tokens; later ones hold four. */
export const tokensInFirstBlock = 3;
export const tokensInLaterBlock = 4;

export function readUniforms(
  uniforms: Float64Array,
  first: number,
  blocks: Int32Array,
  tokens: Int32Array,
): void {
  const fineBlocks = 4 * tokens.length;
  for (let row = 0; row < tokens.length; row++) {
    const token = tokens[row]!;
    const coarse = (blocks[4 * row + ((token & 15) >>> 2)]! >>> (8 * (token & 3))) & 255;
    const fine = blocks[fineBlocks + 4 * row + (token & 3)]! >>> 0;
    uniforms[first + row] = (coarse * 2 ** 32 + fine + 0.5) / 2 ** 40;
  }
}

/**
 * Compares one digit of the rows that are still open with the threshold's, keeps those open whose
 * digits agree, and returns how many there are.
 */
export function comparePlane(
  below: Uint8Array,
  open: Int32Array,
  count: number,
  blocks: Int32Array,
  tokens: Int32Array,
  thresholdDigit: number,
): number {
  let left = 0;
  for (let index = 0; index < count; index++) {
    const row = open[index]!;
    const token = tokens[row]!;
    const word = blocks[4 * index + ((token & 15) >>> 2)]!;
    const digit = (word >>> (8 * (token & 3) + 7 - ((token >>> 4) & 7))) & 1;
    below[row] = thresholdDigit & (digit ^ 1);
    open[left] = row;
    left += 1 ^ digit ^ thresholdDigit;
  }
  return left;
}

export function writeFirstBlocks(
  state: Int32Array,
  into: number,
  domain: number,
  contexts: Int32Array,
  width: number,
  count: number,
): void {
  const header = domain | (width << 16);
  for (let index = 0; index < count; index++) {
    const block = into + 4 * index;
    const row = index * width;
    state[block] = header;
    state[block + 1] = width > 0 ? contexts[row]! : -1;
    state[block + 2] = width > 1 ? contexts[row + 1]! : -1;
    state[block + 3] = width > 2 ? contexts[row + 2]! : -1;
  }
}

export function addLaterBlocks(
  chained: Int32Array,
  into: number,
  contexts: Int32Array,
  width: number,
  from: number,
  count: number,
): void {
  for (let index = 0; index < count; index++) {
    for (let token = 0; token < tokensInLaterBlock; token++) {
      const value = from + token < width ? contexts[index * width + from + token]! : -1;
      chained[into + 4 * index + token]! ^= value;
    }
  }
}

export function writePlaneNumbers(
  numbers: Int32Array,
  tokens: Int32Array,
  rows: Int32Array,
  planes: number,
  plane: number,
): void {
  for (let index = 0; index < rows.length; index++) {
    numbers[index] = (tokens[rows[index]!]! >>> 7) * planes + plane;
  }
}

export function writeCountersAt(
  counters: Int32Array,
  seeds: Int32Array,
  rows: Int32Array,
  numbers: Int32Array,
): void {
  for (let index = 0; index < rows.length; index++) {
    const seed = 4 * rows[index]!;
    counters[4 * index] = seeds[seed]!;
    counters[4 * index + 1] = seeds[seed + 1]!;
    counters[4 * index + 2] = seeds[seed + 2]!;
    counters[4 * index + 3] = seeds[seed + 3]! ^ numbers[index]!;
  }
}

export function identityRows(count: number): Int32Array {
  const rows = new Int32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

export function shifted(tokens: Int32Array, bits: number): Int32Array {
  const result = new Int32Array(tokens.length);
  for (let row = 0; row < tokens.length; row++) result[row] = tokens[row]! >>> bits;
  return result;
}
