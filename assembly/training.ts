/**
 * The loops of training and asking networks of one hidden layer. The memory is the caller's. A layer
 * is a matrix [inputs + 1, units] of float32 whose last row is the bias; units is a multiple of 4.
 */

/** out[r] = the bias + the sum of value * weights[index] over the entries of row order[r]. */
export function sumRows(
  order: usize, count: u32, offsets: usize, indices: usize, values: usize,
  weights: usize, inputs: u32, units: u32, out: usize,
): void {
  const bias = weights + ((<usize>inputs * units) << 2);
  for (let row: u32 = 0; row < count; row++) {
    const name = load<u32>(order + (row << 2));
    const start = load<u32>(offsets + (name << 2));
    const end = load<u32>(offsets + (name << 2), 4);
    const to = out + ((<usize>row * units) << 2);
    let unit: u32 = 0;
    for (; unit + 16 <= units; unit += 16) {
      const at = <usize>unit << 2;
      let a = v128.load(bias + at);
      let b = v128.load(bias + at, 16);
      let c = v128.load(bias + at, 32);
      let d = v128.load(bias + at, 48);
      for (let entry = start; entry < end; entry++) {
        const value = f32x4.splat(load<f32>(values + (entry << 2)));
        const from = weights + ((<usize>load<u32>(indices + (entry << 2)) * units) << 2) + at;
        a = f32x4.add(a, f32x4.mul(value, v128.load(from)));
        b = f32x4.add(b, f32x4.mul(value, v128.load(from, 16)));
        c = f32x4.add(c, f32x4.mul(value, v128.load(from, 32)));
        d = f32x4.add(d, f32x4.mul(value, v128.load(from, 48)));
      }
      v128.store(to + at, a);
      v128.store(to + at, b, 16);
      v128.store(to + at, c, 32);
      v128.store(to + at, d, 48);
    }
    for (; unit < units; unit += 4) {
      const at = <usize>unit << 2;
      let a = v128.load(bias + at);
      for (let entry = start; entry < end; entry++) {
        const value = f32x4.splat(load<f32>(values + (entry << 2)));
        const from = weights + ((<usize>load<u32>(indices + (entry << 2)) * units) << 2) + at;
        a = f32x4.add(a, f32x4.mul(value, v128.load(from)));
      }
      v128.store(to + at, a);
    }
  }
}

/** gradient[index] += value * slopes[r] over the entries of row order[r]; the bias row likewise. */
export function scatterRows(
  order: usize, count: u32, offsets: usize, indices: usize, values: usize,
  slopes: usize, inputs: u32, units: u32, gradient: usize,
): void {
  const bytes = <usize>units << 2;
  const bias = gradient + <usize>inputs * bytes;
  for (let row: u32 = 0; row < count; row++) {
    const name = load<u32>(order + (row << 2));
    const end = load<u32>(offsets + (name << 2), 4);
    const from = slopes + <usize>row * bytes;
    for (let entry = load<u32>(offsets + (name << 2)); entry < end; entry++) {
      const value = load<f32>(values + (entry << 2));
      if (value == 0) continue;
      addScaled(gradient + <usize>load<u32>(indices + (entry << 2)) * bytes, from, value, bytes);
    }
    addScaled(bias, from, 1, bytes);
  }
}

/** out = inputs [count, inputs] times the layer, plus its bias. */
export function denseRows(
  rows: usize, count: u32, weights: usize, inputs: u32, units: u32, out: usize,
): void {
  const bytes = <usize>units << 2;
  for (let row: u32 = 0; row < count; row++) {
    const from = rows + ((<usize>row * inputs) << 2);
    const to = out + <usize>row * bytes;
    memory.copy(to, weights + <usize>inputs * bytes, bytes);
    for (let input: u32 = 0; input < inputs; input++) {
      const value = load<f32>(from + (input << 2));
      if (value != 0) addScaled(to, weights + <usize>input * bytes, value, bytes);
    }
  }
}

/** gradient += rows [count, inputs], transposed, times slopes [count, units]; the bias row likewise. */
export function denseGradient(
  rows: usize, count: u32, slopes: usize, inputs: u32, units: u32, gradient: usize,
): void {
  const bytes = <usize>units << 2;
  for (let row: u32 = 0; row < count; row++) {
    const values = rows + ((<usize>row * inputs) << 2);
    const from = slopes + <usize>row * bytes;
    for (let input: u32 = 0; input < inputs; input++) {
      const value = load<f32>(values + (input << 2));
      if (value != 0) addScaled(gradient + <usize>input * bytes, from, value, bytes);
    }
    addScaled(gradient + <usize>inputs * bytes, from, 1, bytes);
  }
}

/** out[r, i] = slopes[r] . weights[i] where rows[r, i] is above 0, else 0. */
export function denseBack(
  slopes: usize, count: u32, weights: usize, inputs: u32, units: u32, rows: usize, out: usize,
): void {
  const bytes = <usize>units << 2;
  for (let row: u32 = 0; row < count; row++) {
    const from = slopes + <usize>row * bytes;
    for (let input: u32 = 0; input < inputs; input++) {
      const place = (<usize>row * inputs + input) << 2;
      let product: f32 = 0;
      if (load<f32>(rows + place) > 0) {
        let sums = f32x4.splat(0);
        for (let at: usize = 0; at < bytes; at += 16) {
          const weight = v128.load(weights + <usize>input * bytes + at);
          sums = f32x4.add(sums, f32x4.mul(v128.load(from + at), weight));
        }
        product =
          f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) +
          (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
      }
      store<f32>(out + place, product);
    }
  }
}

/** Replaces values below 0 by 0. */
export function rectify(values: usize, count: u32): void {
  const zero = f32x4.splat(0);
  const end = values + (<usize>count << 2);
  for (let at = values; at < end; at += 16) v128.store(at, f32x4.max(zero, v128.load(at)));
}

/** One step of Adam with its usual decays, .9 and .999; leaves the gradient 0. */
export function adam(
  weights: usize, gradient: usize, first: usize, second: usize, count: u32, rate: f32, floor: f32,
): void {
  const bytes = <usize>count << 2;
  const zero = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const slope = v128.load(gradient + at);
    const mean = f32x4.add(
      f32x4.mul(f32x4.splat(0.9), v128.load(first + at)),
      f32x4.mul(f32x4.splat(0.1), slope),
    );
    const square = f32x4.add(
      f32x4.mul(f32x4.splat(0.999), v128.load(second + at)),
      f32x4.mul(f32x4.splat(0.001), f32x4.mul(slope, slope)),
    );
    const step = f32x4.div(
      f32x4.mul(f32x4.splat(rate), mean),
      f32x4.add(f32x4.sqrt(square), f32x4.splat(floor)),
    );
    v128.store(first + at, mean);
    v128.store(second + at, square);
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), step));
    v128.store(gradient + at, zero);
  }
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function addScaled(to: usize, from: usize, value: f32, bytes: usize): void {
  const factor = f32x4.splat(value);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(to + at, f32x4.add(v128.load(to + at), f32x4.mul(factor, v128.load(from + at))));
  }
}
