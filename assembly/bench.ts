/** What the benches compare the kernel with. */

const stateWords: u32 = 624;
const shifted: u32 = 397;

/** Reads, adds to and writes every float32 once. */
export function addToAll(logits: usize, size: u32, amount: f32): void {
  const amounts = f32x4.splat(amount);
  const end = logits + (<usize>size << 2);
  for (let at = logits; at < end; at += 128) {
    addFour(at, amounts);
    addFour(at + 16, amounts);
    addFour(at + 32, amounts);
    addFour(at + 48, amounts);
    addFour(at + 64, amounts);
    addFour(at + 80, amounts);
    addFour(at + 96, amounts);
    addFour(at + 112, amounts);
  }
}

/**
 * The green list as transformers' `WatermarkLogitsProcessor` makes it with PyTorch's CPU generator:
 * a permutation of all tokens under a seed (MT19937, Fisher-Yates), of which the first `greenSize`
 * gain `delta`.
 *
 * @param state pointer to 624 words
 * @param permutation pointer to `size` int64, PyTorch's type of index
 */
export function markByPermutation(
  logits: usize,
  size: u32,
  greenSize: u32,
  delta: f32,
  seed: u32,
  state: usize,
  permutation: usize,
): void {
  seedGenerator(state, seed);
  for (let index: u32 = 0; index < size; index++) {
    store<u64>(permutation + (<usize>index << 3), index);
  }
  let drawn = stateWords;
  for (let index: u32 = 0; index < size - 1; index++) {
    if (drawn == stateWords) {
      twist(state);
      drawn = 0;
    }
    const number = tempered(load<u32>(state + (<usize>drawn << 2)));
    drawn += 1;
    const here = permutation + (<usize>index << 3);
    const there = here + (<usize>(number % (size - index)) << 3);
    const held = load<u64>(here);
    store<u64>(here, load<u64>(there));
    store<u64>(there, held);
  }
  for (let index: u32 = 0; index < greenSize; index++) {
    const at = logits + (<usize>load<u64>(permutation + (<usize>index << 3)) << 2);
    store<f32>(at, load<f32>(at) + delta);
  }
}

@inline
function addFour(at: usize, amounts: v128): void {
  v128.store(at, f32x4.add(v128.load(at), amounts));
}

function seedGenerator(state: usize, seed: u32): void {
  let word = seed;
  store<u32>(state, word);
  for (let index: u32 = 1; index < stateWords; index++) {
    word = 1812433253 * (word ^ (word >>> 30)) + index;
    store<u32>(state + (<usize>index << 2), word);
  }
}

function twist(state: usize): void {
  for (let index: u32 = 0; index < stateWords; index++) {
    const at = state + (<usize>index << 2);
    const next = index + 1 == stateWords ? 0 : index + 1;
    const far = index + shifted >= stateWords ? index + shifted - stateWords : index + shifted;
    const joined =
      (load<u32>(at) & 0x80000000) | (load<u32>(state + (<usize>next << 2)) & 0x7fffffff);
    const twisted = (joined >>> 1) ^ ((joined & 1) * 0x9908b0df);
    store<u32>(at, load<u32>(state + (<usize>far << 2)) ^ twisted);
  }
}

@inline
function tempered(word: u32): u32 {
  word ^= word >>> 11;
  word ^= (word << 7) & 0x9d2c5680;
  word ^= (word << 15) & 0xefc60000;
  return word ^ (word >>> 18);
}
