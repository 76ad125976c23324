import { describe, expect, it } from 'vitest';
import { KeyedStream } from '../../../src/keys/keyed-stream.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { denseVector, type SparseVector } from '../../../src/watermark/probability/features.ts';
import { SignRows } from '../../../src/watermark/probability/sign-rows.ts';
import { keyOf } from '../fixtures.ts';

const key = keyOf('rows');
const random = seededRandom('sign rows');

/** The definition: bit j of the blocks of row f, from the keystream itself. */
function naiveSums({ indices, values }: SparseVector, carriers: number): number[] {
  const rowBytes = 16 * Math.ceil(carriers / 128);
  const stream = new KeyedStream(key, 'rows').bytes(rowBytes * (Math.max(0, ...indices) + 1));
  return Array.from({ length: carriers }, (_, j) =>
    indices.reduce((sum, feature, entry) => {
      const bit = (stream[feature * rowBytes + (j >> 3)]! >> (j & 7)) & 1;
      return sum + (bit === 1 ? values[entry]! : -values[entry]!);
    }, 0),
  );
}

/** Entries in a random order, with values from a list. */
function vectorOf(entries: number, dimensions: number, values: readonly number[]): SparseVector {
  const indices = Uint32Array.from({ length: dimensions }, (_, index) => index);
  for (let index = dimensions - 1; index > 0; index -= 1) {
    const other = random.integer(index + 1);
    [indices[index], indices[other]] = [indices[other]!, indices[index]!];
  }
  return {
    indices: indices.slice(0, entries),
    values: Float32Array.from({ length: entries }, () => values[random.integer(values.length)]!),
  };
}

const counts = [1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 9].map((count) => Math.sqrt(count) / 13);

describe('SignRows', () => {
  const vectors: [string, SparseVector][] = [
    ['nothing', vectorOf(0, 8, [1])],
    ['one entry', vectorOf(1, 4096, [0.5])],
    ['few different values, as of n-grams', vectorOf(210, 4096, counts)],
    ['more equal values than a byte counts', vectorOf(700, 1024, [0.25])],
    ['zeros and negative values', vectorOf(40, 64, [0, -0, -0.5, 0.25])],
    [
      '16 different values',
      vectorOf(
        150,
        256,
        Array.from({ length: 16 }, (_, k) => k - 5.5),
      ),
    ],
    [
      '17 different values',
      vectorOf(
        150,
        256,
        Array.from({ length: 17 }, (_, k) => k - 5.5),
      ),
    ],
    ['more rows than are read at once, equal', vectorOf(2100, 2300, counts)],
    ['more rows than are read at once', denseVector(Array.from({ length: 1500 }, random.normal))],
  ];

  it.each(vectors)('sums the signs of the keystream: %s', (_, vector) => {
    for (const carriers of [1, 30, 128, 130]) {
      const sums = new Float64Array(carriers);
      new SignRows(key, 'rows', carriers).project(vector, sums);
      naiveSums(vector, carriers).forEach((sum, j) => {
        expect(sums[j]).toBeCloseTo(sum, 9);
      });
    }
  });

  it('adds to what is there, and gives the same vector the same sums', () => {
    const rows = new SignRows(key, 'rows', 256);
    const vector = vectorOf(200, 4096, counts);
    const once = new Float64Array(256);
    rows.project(vector, once);
    const twice = new Float64Array(256);
    rows.project(vectorOf(200, 4096, counts), new Float64Array(256));
    rows.project(vector, twice);
    expect(twice).toEqual(once);
    rows.project(vector, twice);
    twice.forEach((sum, j) => {
      expect(sum).toBeCloseTo(2 * once[j]!, 9);
    });
  });

  it('refuses a short key', () => {
    expect(() => new SignRows(key.subarray(1), 'rows', 8)).toThrow(/stream key has 31 bytes/);
  });
});
