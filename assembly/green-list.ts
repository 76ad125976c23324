/**
 * Adds `half` to the logits of green tokens and takes it from the others.
 *
 * One 16-byte block of each plane covers 128 tokens: bit 31 - k of lane j is that of token 4 k + j.
 * The planes of a token are the digits of a binary number, highest first, and the token is green when
 * that number is below `threshold`.
 *
 * @param logits pointer to `size` float32
 * @param keystream pointer to ceil(size / 128) x planes blocks
 */
export function biasGreen(
  logits: usize,
  size: u32,
  keystream: usize,
  planes: u32,
  threshold: u32,
  half: f32,
): void {
  const halves = f32x4.splat(half);
  const end = logits + ((<usize>size >>> 7) << 9);
  const stride = <usize>planes << 4;
  let at = logits;
  while (at < end) {
    const above = notBelow(keystream, planes, threshold);
    biasEight(at, above, halves);
    biasEight(at + 128, i32x4.shl(above, 8), halves);
    biasEight(at + 256, i32x4.shl(above, 16), halves);
    biasEight(at + 384, i32x4.shl(above, 24), halves);
    at += 512;
    keystream += stride;
  }
  if ((size & 127) != 0) biasRest(at, size & 127, notBelow(keystream, planes, threshold), half);
}

/** One where a token's number is not below the threshold, for the 128 tokens of a block. */
@inline
function notBelow(block: usize, planes: u32, threshold: u32): v128 {
  let above = i32x4.splat(-1);
  for (let plane = <i32>planes - 1; plane >= 0; plane--) {
    const digit = v128.load(block + (<usize>plane << 4));
    const isOne = ((threshold >>> (planes - 1 - plane)) & 1) != 0;
    above = isOne ? v128.and(digit, above) : v128.or(digit, above);
  }
  return above;
}

@inline
function biasEight(at: usize, above: v128, halves: v128): void {
  biasFour(at, above, halves);
  biasFour(at + 16, i32x4.shl(above, 1), halves);
  biasFour(at + 32, i32x4.shl(above, 2), halves);
  biasFour(at + 48, i32x4.shl(above, 3), halves);
  biasFour(at + 64, i32x4.shl(above, 4), halves);
  biasFour(at + 80, i32x4.shl(above, 5), halves);
  biasFour(at + 96, i32x4.shl(above, 6), halves);
  biasFour(at + 112, i32x4.shl(above, 7), halves);
}

@inline
function biasFour(at: usize, above: v128, halves: v128): void {
  const bias = v128.xor(halves, v128.and(above, i32x4.splat(<i32>0x80000000)));
  v128.store(at, f32x4.add(v128.load(at), bias));
}

function biasRest(at: usize, tokens: u32, above: v128, half: f32): void {
  for (let token: u32 = 0; token < tokens; token++) {
    if ((token & 3) == 0 && token != 0) above = i32x4.shl(above, 1);
    const pointer = at + (<usize>token << 2);
    store<f32>(pointer, load<f32>(pointer) + (lane(above, token & 3) < 0 ? -half : half));
  }
}

@inline
function lane(lanes: v128, index: u32): i32 {
  if (index == 0) return i32x4.extract_lane(lanes, 0);
  if (index == 1) return i32x4.extract_lane(lanes, 1);
  if (index == 2) return i32x4.extract_lane(lanes, 2);
  return i32x4.extract_lane(lanes, 3);
}
