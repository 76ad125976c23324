import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/stats/sampling.ts';
import { walshHadamard } from '../../../../src/watermark/text/tenants/walsh-hadamard.ts';

function onesOf(word: number): number {
  return [...word.toString(2)].filter((digit) => digit === '1').length;
}

describe('the Walsh-Hadamard transform', () => {
  it.each([0, 1, 2, 3, 4, 7, 8])('of 2^%i values is the sum that defines it', (bits) => {
    const random = seededRandom(`transform ${bits}`);
    const values = Int32Array.from({ length: 2 ** bits }, () => random.integer(2001) - 1000);
    const expected = values.map((_, t) =>
      values.reduce((sum, value, h) => sum + (onesOf(t & h) % 2 === 0 ? value : -value), 0),
    );
    walshHadamard(values);
    expect(values).toEqual(expected);
  });

  it('of a transform is 2^bits times the values', () => {
    const random = seededRandom('twice');
    const values = Int32Array.from({ length: 2 ** 13 }, () => random.integer(41) - 20);
    const twice = values.slice();
    walshHadamard(twice);
    walshHadamard(twice);
    expect(twice).toEqual(values.map((value) => value * 2 ** 13));
  });
});
