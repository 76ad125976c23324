/** Stands for 1 - u in units of 1/256 when its highest eight bits are 0. */
const smallest: v128 = f32x4.splat(<f32>(1.0 / 8589934592.0));

/**
 * Writes the tokens that may have the largest logit - temperature x log(-log u), given the highest
 * eight bits c of every token's uniform u, and returns how many there are.
 *
 * A token is dropped when its greatest possible value is below another one's least. In the loop the
 * greatest is taken from -log(-log u) <= -log(1 - u), and the logarithm from the exponent and the
 * fraction of a float32, which is never above it; the survivors are compared again with the table.
 *
 * @param logits pointer to `size` float32
 * @param coarse pointer to `size` bytes
 * @param least pointer to 256 float32: temperature times the least -log(-log u) for each c
 * @param greatest pointer to 256 float32: the greatest
 * @param offset what `scale` times the bits of the float32 is taken from: the greatest is
 *   offset - scale x bits(256 (1 - u))
 * @param slack more than all rounding, in units of the logits' largest magnitude and `offset`
 * @param survivors pointer to room for `size` + 16 int32
 */
export function filterGumbel(
  logits: usize,
  size: u32,
  coarse: usize,
  least: usize,
  greatest: usize,
  offset: f32,
  scale: f32,
  slack: f32,
  survivors: usize,
): u32 {
  const scales = f32x4.splat(scale);
  let best: f32 = -f32.MAX_VALUE;
  let bound = lowered(best, slack) - offset;
  let bounds = f32x4.splat(bound);
  let into = survivors;
  let token: u32 = 0;
  const whole = size & ~15;
  for (; token < whole; token += 16) {
    const missing = v128.not(v128.load(coarse + token));
    const low = i16x8.extend_low_i8x16_u(missing);
    const high = i16x8.extend_high_i8x16_u(missing);
    const at = logits + (<usize>token << 2);
    const first = mayWin(at, i32x4.extend_low_i16x8_u(low), scales, bounds);
    const second = mayWin(at + 16, i32x4.extend_high_i16x8_u(low), scales, bounds);
    const third = mayWin(at + 32, i32x4.extend_low_i16x8_u(high), scales, bounds);
    const fourth = mayWin(at + 48, i32x4.extend_high_i16x8_u(high), scales, bounds);
    if (!v128.any_true(v128.or(v128.or(first, second), v128.or(third, fourth)))) continue;
    let mask =
      i32x4.bitmask(first) |
      (i32x4.bitmask(second) << 4) |
      (i32x4.bitmask(third) << 8) |
      (i32x4.bitmask(fourth) << 12);
    for (; mask != 0; mask &= mask - 1) {
      const each = token + ctz(mask);
      store<u32>(into, each);
      into += 4;
      best = max(best, leastOf(logits, coarse, least, each));
    }
    bounds = f32x4.splat(lowered(best, slack) - offset);
  }
  for (; token < size; token++) {
    if (!(load<f32>(logits + (<usize>token << 2)) > -f32.MAX_VALUE * 2)) continue;
    store<u32>(into, token);
    into += 4;
    best = max(best, leastOf(logits, coarse, least, token));
  }
  return keep(survivors, into, logits, coarse, greatest, lowered(best, slack));
}

function keep(
  survivors: usize,
  end: usize,
  logits: usize,
  coarse: usize,
  greatest: usize,
  bound: f32,
): u32 {
  let into = survivors;
  for (let at = survivors; at < end; at += 4) {
    const token = load<u32>(at);
    const logit = load<f32>(logits + (<usize>token << 2));
    const most = logit + load<f32>(greatest + (<usize>load<u8>(coarse + token) << 2));
    if (!(most >= bound)) continue;
    store<u32>(into, token);
    into += 4;
  }
  return <u32>((into - survivors) >>> 2);
}

@inline
function mayWin(at: usize, missing: v128, scales: v128, bounds: v128): v128 {
  const share = f32x4.pmax(f32x4.convert_i32x4_s(missing), smallest);
  const needed = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(share), scales), bounds);
  return f32x4.ge(v128.load(at), needed);
}

@inline
function leastOf(logits: usize, coarse: usize, least: usize, token: u32): f32 {
  const logit = load<f32>(logits + (<usize>token << 2));
  return logit + load<f32>(least + (<usize>load<u8>(coarse + token) << 2));
}

@inline
function lowered(best: f32, slack: f32): f32 {
  return max(best - slack * (abs(best) + 1), -f32.MAX_VALUE);
}
