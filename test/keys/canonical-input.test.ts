import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Input } from '../../src/contracts.ts';
import { canonicalBytes, inputDigest } from '../../src/keys/canonical-input.ts';
import vectors from '../vectors/keys.json' with { type: 'json' };

const tensor = (shape: readonly number[], data: readonly number[]): Input => ({
  shape,
  data: Float32Array.from(data),
});

describe('canonical input', () => {
  it.each(vectors.inputs)('gives the frozen bytes of $input', (vector) => {
    const input =
      typeof vector.input === 'string'
        ? vector.input
        : tensor(vector.input.shape, vector.input.data);
    expect(canonicalBytes(input).toString('hex')).toBe(vector.bytes);
    expect(inputDigest(input).toString('hex')).toBe(vector.digest);
  });

  it('holds composed and decomposed text equal, and trimmed text different', () => {
    expect(inputDigest('été')).toEqual(inputDigest('e\u0301te\u0301'));
    expect(inputDigest('a ')).not.toEqual(inputDigest('a'));
  });

  it('holds -0 and 0 equal, and different shapes of the same values different', () => {
    expect(inputDigest(tensor([2], [-0, 1]))).toEqual(inputDigest(tensor([2], [0, 1])));
    expect(inputDigest(tensor([2, 3], [1, 2, 3, 4, 5, 6]))).not.toEqual(
      inputDigest(tensor([3, 2], [1, 2, 3, 4, 5, 6])),
    );
  });

  it('gives equal bytes only to equal tensors', () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 6 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const same = a.length === b.length && a.every((value, index) => value === b[index]);
        const bytes = [a, b].map((data) => canonicalBytes(tensor([data.length], data)));
        expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(same);
      }),
    );
  });

  it.each<[string, Input, RegExp]>([
    ['a lone surrogate', 'ab\udc00', /input text has the lone surrogate "\\udc00" at position 2/],
    ['NaN', tensor([2], [1, Number.NaN]), /value 1 is NaN/],
    ['infinity', tensor([1], [-Infinity]), /value 0 is -Infinity/],
    [
      'a shape with too few values',
      tensor([2, 2], [1, 2, 3]),
      /\[2, 2\] does not fit its 3 values/,
    ],
    ['a negative shape', tensor([-1, -2], [1, 2]), /\[-1, -2\]/],
    ['a fractional shape', tensor([0.5, 4], [1, 2]), /\[0.5, 4\]/],
  ])('refuses %s', (_, input, message) => {
    expect(() => inputDigest(input)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
