/**
 * Writes `blocks` counter blocks: the four words of a seed, the last one xor 0, 1, 2 and so on. Four
 * at a time: up to three more are written.
 */
export function writeCounters(
  counters: usize,
  blocks: u32,
  first: i32,
  second: i32,
  third: i32,
  last: i32,
): void {
  const start = i32x4.replace_lane(i32x4.splat(first), 1, second);
  const seed = i32x4.replace_lane(i32x4.replace_lane(start, 2, third), 3, last);
  let index = i32x4(0, 0, 0, 0);
  const end = counters + (<usize>blocks << 4);
  for (let at = counters; at < end; at += 64) {
    v128.store(at, v128.xor(seed, index));
    v128.store(at + 16, v128.xor(seed, v128.or(index, i32x4(0, 0, 0, 1))));
    v128.store(at + 32, v128.xor(seed, v128.or(index, i32x4(0, 0, 0, 2))));
    v128.store(at + 48, v128.xor(seed, v128.or(index, i32x4(0, 0, 0, 3))));
    index = i32x4.add(index, i32x4(0, 0, 0, 4));
  }
}
