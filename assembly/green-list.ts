/**
 * Adds `half` to the logits of green tokens and takes it from the others.
 *
 * One 16-byte block of each plane covers 128 tokens: bit 7 - j of byte i is that of token 16 j + i.
 * The planes of a token are the digits of a binary number, highest first, and the token is green when
 * that number is below `threshold`.
 *
 * @param logits pointer to `size` float32
 * @param keystream pointer to ceil(size / 128) x planes blocks; the last one may be overwritten
 */
export function biasGreen(
  logits: usize,
  size: u32,
  keystream: usize,
  planes: u32,
  threshold: u32,
  half: f32,
): void {
  const bits = reinterpret<u32>(half);
  const highest = i8x16.splat(<i8>(bits >>> 24));
  const second = i8x16.splat(<i8>(bits >>> 16));
  const low = i16x8.splat(<i16>bits);
  const end = logits + ((<usize>size >>> 7) << 9);
  const stride = <usize>planes << 4;
  let at = logits;
  if (planes == 1) {
    for (; at < end; at += 512, keystream += 16) {
      biasBlock(at, v128.load(keystream), highest, second, low);
    }
  } else {
    for (; at < end; at += 512, keystream += stride) {
      biasBlock(at, notBelow(keystream, planes, threshold), highest, second, low);
    }
  }
  if ((size & 127) != 0) {
    v128.store(keystream, notBelow(keystream, planes, threshold));
    biasRest(at, size & 127, keystream, half);
  }
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

/** Biases 128 tokens from `at` on. */
@inline
function biasBlock(at: usize, above: v128, highest: v128, second: v128, low: v128): void {
  biasSixteen(at, above, highest, second, low);
  biasSixteen(at + 64, i32x4.shl(above, 1), highest, second, low);
  biasSixteen(at + 128, i32x4.shl(above, 2), highest, second, low);
  biasSixteen(at + 192, i32x4.shl(above, 3), highest, second, low);
  biasSixteen(at + 256, i32x4.shl(above, 4), highest, second, low);
  biasSixteen(at + 320, i32x4.shl(above, 5), highest, second, low);
  biasSixteen(at + 384, i32x4.shl(above, 6), highest, second, low);
  biasSixteen(at + 448, i32x4.shl(above, 7), highest, second, low);
}

/**
 * Biases 16 tokens from `at` on by the highest bits of the bytes of `above`, which become the signs
 * of float32 numbers that are put together from the bytes of `half`.
 */
@inline
function biasSixteen(at: usize, above: v128, highest: v128, second: v128, low: v128): void {
  const signed = v128.xor(highest, v128.and(above, i8x16.splat(<i8>0x80)));
  const left = i8x16.shuffle(second, signed, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const right = i8x16.shuffle(
    second, signed, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
  );
  addFour(at, i16x8.shuffle(low, left, 0, 8, 1, 9, 2, 10, 3, 11));
  addFour(at + 16, i16x8.shuffle(low, left, 4, 12, 5, 13, 6, 14, 7, 15));
  addFour(at + 32, i16x8.shuffle(low, right, 0, 8, 1, 9, 2, 10, 3, 11));
  addFour(at + 48, i16x8.shuffle(low, right, 4, 12, 5, 13, 6, 14, 7, 15));
}

@inline
function addFour(at: usize, biases: v128): void {
  v128.store(at, f32x4.add(v128.load(at), biases));
}

function biasRest(at: usize, tokens: u32, above: usize, half: f32): void {
  for (let token: u32 = 0; token < tokens; token++) {
    const isAbove = ((<u32>load<u8>(above + (token & 15)) << (token >>> 4)) & 0x80) != 0;
    const pointer = at + (<usize>token << 2);
    store<f32>(pointer, load<f32>(pointer) + (isAbove ? -half : half));
  }
}
