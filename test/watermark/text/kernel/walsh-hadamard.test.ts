import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestTwo, walshHadamard } from '../../../../src/watermark/text/kernel/walsh-hadamard.ts';

/** The definition: every value times (-1)^<t, h>. */
function bySigns(values: Int32Array): number[] {
  const parity = (word: number) =>
    [...word.toString(2)].filter((digit) => digit === '1').length % 2;
  return Array.from(values, (_, t) =>
    values.reduce((sum, value, h) => sum + (parity(t & h) === 1 ? -value : value), 0),
  );
}

const seeded = (seed: number, size: number) =>
  Float32Array.from({ length: size }, (_, at) => Math.sin(seed + at * 12.9898) * 1e3);

describe('walshHadamard', () => {
  it('is the signed sum of its definition', () => {
    for (let bits = 0; bits <= 8; bits++) {
      const values = Int32Array.from({ length: 2 ** bits }, (_, at) => ((at * 7919) % 101) - 50);
      const expected = bySigns(values);
      for (const simd of [true, false]) {
        const [integers, floats] = [Int32Array.from(values), Float32Array.from(values)];
        walshHadamard(integers, { simd });
        walshHadamard(floats, { simd });
        expect([...integers]).toEqual(expected);
        expect([...floats]).toEqual(expected);
      }
    }
  });

  it('rounds and wraps in both computations alike, at every size', () => {
    for (let bits = 0; bits <= 15; bits++) {
      const floats = seeded(bits, 2 ** bits);
      const integers = Int32Array.from(floats, (value) => value * 2 ** 20);
      for (const values of [floats, integers]) {
        const [fast, plain] = [values.slice(), values.slice()];
        walshHadamard(fast);
        walshHadamard(plain, { simd: false });
        expect(fast).toEqual(plain);
      }
    }
  });

  it('refuses a number of values that is no power of two', () => {
    expect(() => walshHadamard(new Float32Array(48))).toThrow(/48 values/);
    expect(() => walshHadamard(new Int32Array(0))).toThrow(/0 values/);
  });
});

describe('largestTwo', () => {
  it('finds the first largest and the best of the others, whatever stands where', () => {
    const numbers = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 80 });
    fc.assert(
      fc.property(numbers, fc.boolean(), (values, simd) => {
        const [largest, runnerUp] = [...values].sort((a, b) => b - a);
        const index = values.indexOf(largest!);
        for (const typed of [Float32Array.from(values), Int32Array.from(values)]) {
          expect(largestTwo(typed, { simd })).toEqual({ largest, index, runnerUp });
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('orders infinities and the least integer', () => {
    const floats = new Float32Array(16).fill(-Infinity);
    expect(largestTwo(floats)).toEqual({ largest: -Infinity, index: 0, runnerUp: -Infinity });
    floats[9] = Infinity;
    expect(largestTwo(floats)).toEqual({ largest: Infinity, index: 9, runnerUp: -Infinity });
    const least = new Int32Array(16).fill(-(2 ** 31));
    expect(largestTwo(least).runnerUp).toBe(-(2 ** 31));
  });

  it('refuses a single value', () => {
    expect(() => largestTwo(new Float32Array(1))).toThrow(/1 values/);
  });
});
