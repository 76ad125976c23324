/** Blocks of 2^12 numbers stay in the first-level cache while all their levels are done. */
const cachedBits: u32 = 12;

export function transformFloats(values: usize, bits: u32): void {
  transform<f32>(values, bits);
}

export function transformIntegers(values: usize, bits: u32): void {
  transform<i32>(values, bits);
}

/** Writes the greatest number and the greatest of the others to `found`; returns the index of the first. */
export function largestFloats(values: usize, count: u32, found: usize): u32 {
  return largestTwo<f32>(values, count, found);
}

export function largestIntegers(values: usize, count: u32, found: usize): u32 {
  return largestTwo<i32>(values, count, found);
}

/** The Walsh-Hadamard transform of 2^bits numbers (bits >= 2), in place, shortest distances first. */
function transform<T>(values: usize, bits: u32): void {
  const cached = min(bits, cachedBits);
  const end = values + (<usize>4 << bits);
  for (let block = values; block < end; block += <usize>4 << cached) {
    withinVectors<T>(block, <usize>4 << cached);
    levels<T>(block, 2, cached, <usize>4 << cached);
  }
  levels<T>(values, cached, bits, <usize>4 << bits);
}

/** The levels of distance 1 and 2. */
function withinVectors<T>(from: usize, bytes: usize): void {
  for (let at = from; at < from + bytes; at += 16) {
    const one = v128.load(at);
    const signed = butterfly<T>(
      v128.shuffle<i32>(one, one, 0, 0, 2, 2),
      v128.shuffle<i32>(one, one, 1, 1, 3, 3),
    );
    v128.store(
      at,
      butterflyOfPairs<T>(
        v128.shuffle<i32>(signed, signed, 0, 1, 0, 1),
        v128.shuffle<i32>(signed, signed, 2, 3, 2, 3),
      ),
    );
  }
}

@inline
function butterfly<T>(left: v128, right: v128): v128 {
  return v128.shuffle<i32>(v128.add<T>(left, right), v128.sub<T>(left, right), 0, 5, 2, 7);
}

@inline
function butterflyOfPairs<T>(left: v128, right: v128): v128 {
  return v128.shuffle<i32>(v128.add<T>(left, right), v128.sub<T>(left, right), 0, 1, 6, 7);
}

/** The levels of distance 2^first to 2^(last - 1), two at a time. */
function levels<T>(from: usize, first: u32, last: u32, bytes: usize): void {
  let level = first;
  for (; level + 2 <= last; level += 2) twoLevels<T>(from, <usize>4 << level, bytes);
  if (level < last) oneLevel<T>(from, <usize>4 << level, bytes);
}

function oneLevel<T>(from: usize, distance: usize, bytes: usize): void {
  for (let block = from; block < from + bytes; block += 2 * distance) {
    for (let at = block; at < block + distance; at += 16) {
      const left = v128.load(at);
      const right = v128.load(at + distance);
      v128.store(at, v128.add<T>(left, right));
      v128.store(at + distance, v128.sub<T>(left, right));
    }
  }
}

function twoLevels<T>(from: usize, distance: usize, bytes: usize): void {
  for (let block = from; block < from + bytes; block += 4 * distance) {
    for (let at = block; at < block + distance; at += 16) {
      const a = v128.load(at);
      const b = v128.load(at + distance);
      const c = v128.load(at + 2 * distance);
      const d = v128.load(at + 3 * distance);
      const sumLeft = v128.add<T>(a, b);
      const differenceLeft = v128.sub<T>(a, b);
      const sumRight = v128.add<T>(c, d);
      const differenceRight = v128.sub<T>(c, d);
      v128.store(at, v128.add<T>(sumLeft, sumRight));
      v128.store(at + distance, v128.add<T>(differenceLeft, differenceRight));
      v128.store(at + 2 * distance, v128.sub<T>(sumLeft, sumRight));
      v128.store(at + 3 * distance, v128.sub<T>(differenceLeft, differenceRight));
    }
  }
}

/** Four columns keep their two greatest; the columns are compared at the end. */
function largestTwo<T>(values: usize, count: u32, found: usize): u32 {
  let first = v128.load(values);
  let second = v128.splat<T>(lowest<T>());
  const end = values + (<usize>count << 2);
  for (let at = values + 16; at < end; at += 16) {
    const next = v128.load(at);
    second = v128.max<T>(second, v128.min<T>(first, next));
    first = v128.max<T>(first, next);
  }
  v128.store(found, first);
  v128.store(found + 16, second);
  let greatest = lowest<T>();
  let runnerUp = lowest<T>();
  for (let at = found; at < found + 32; at += 4) {
    const value = load<T>(at);
    runnerUp = max(runnerUp, min(greatest, value));
    greatest = max(greatest, value);
  }
  store<T>(found, greatest);
  store<T>(found + 4, runnerUp);
  let index: u32 = 0;
  while (index + 1 < count && load<T>(values + (<usize>index << 2)) != greatest) index++;
  return index;
}

@inline
function lowest<T>(): T {
  return isFloat<T>() ? <T>-Infinity : <T>i32.MIN_VALUE;
}
