/**
 * Writes `blocks` counter blocks: three words as they are, then `low`, `low` + 1 and so on, with the
 * highest byte first. Four at a time: up to three more are written.
 */
export function writeCounters(
  counters: usize,
  blocks: u32,
  first: i32,
  second: i32,
  third: i32,
  low: i32,
): void {
  let next = i32x4.replace_lane(i32x4.splat(first), 1, second);
  next = i32x4.replace_lane(i32x4.replace_lane(next, 2, third), 3, low);
  const end = counters + (<usize>blocks << 4);
  for (let at = counters; at < end; at += 64) {
    writeCounter(at, next);
    writeCounter(at + 16, i32x4.add(next, i32x4(0, 0, 0, 1)));
    writeCounter(at + 32, i32x4.add(next, i32x4(0, 0, 0, 2)));
    writeCounter(at + 48, i32x4.add(next, i32x4(0, 0, 0, 3)));
    next = i32x4.add(next, i32x4(0, 0, 0, 4));
  }
}

@inline
function writeCounter(at: usize, words: v128): void {
  v128.store(
    at,
    i8x16.shuffle(words, words, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 14, 13, 12),
  );
}
