import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatten, nest } from '../../../src/models/adapters/tensors.ts';

describe('tensors on the wire', () => {
  test('nest is row-major', () => {
    const data = Float32Array.from([1, 2, 3, 4, 5, 6]);
    expect(nest({ shape: [2, 3], data })).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(nest({ shape: [3, 1, 2], data })).toEqual([[[1, 2]], [[3, 4]], [[5, 6]]]);
    expect(nest({ shape: [], data: Float32Array.of(7) })).toBe(7);
  });

  test('flatten undoes nest, and leaves flat data as it is', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const size = shape.reduce((product, length) => product * length, 1);
        const data = Float32Array.from({ length: size }, (_, index) => index);
        const nested = nest({ shape, data });
        expect(Array.isArray(nested) && flatten(nested, shape)).toEqual([...data]);
        expect(flatten([...data], shape)).toEqual([...data]);
      }),
    );
  });

  test.each([
    ['too few', [1, 2, 3], [2, 2]],
    ['too many', [1, 2, 3, 4, 5], [2, 2]],
    ['ragged', [[1, 2, 3], [4]], [2, 2]],
    ['too deep', [[[1, 2]], [[3, 4]]], [2, 2]],
    [
      'too deep in one place',
      [
        [1, [2]],
        [3, 4],
      ],
      [2, 2],
    ],
    ['too flat in one place', [[1, 2], 3], [2, 2]],
    ['an array for a value', [[1]], [1]],
  ])('data that does not fill its shape: %s', (_, data, shape) => {
    expect(flatten(data, shape)).toBeUndefined();
  });
});
