import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  isInPermutationStart,
  permutationStart,
  TorchGenerator,
} from '../../../../src/watermark/text/prfs/torch-generator.ts';
import { textVectors } from './stacks.ts';

const { cases } = textVectors<{
  cases: {
    seed: string;
    permutation: number[];
    permutationSha256: string;
    integers: number[];
    integersSha256: string;
  }[];
}>('torch');

function digest(numbers: Int32Array): string {
  return createHash('sha256').update(numbers.join()).digest('hex');
}

describe('the generator of torch', () => {
  it.each(cases)('draws what torch draws from seed $seed', (each) => {
    const seed = Number(BigInt.asUintN(32, BigInt(each.seed)));
    const permutation = permutationStart(seed, 1000, 1000);
    expect([...permutation.subarray(0, 8)]).toEqual(each.permutation);
    expect(digest(permutation)).toBe(each.permutationSha256);
    const generator = new TorchGenerator(seed);
    const integers = Int32Array.from({ length: 700 }, () => generator.below(1000003));
    expect([...integers.subarray(0, 4)]).toEqual(each.integers);
    expect(digest(integers)).toBe(each.integersSha256);
  });

  it('follows one number through a shuffle to where the shuffle puts it', () => {
    for (const [size, count] of [
      [97, 24],
      [97, 97],
      [7, 6],
      [1, 1],
    ] as const) {
      for (let seed = 0; seed < 40; seed++) {
        const start = new Set(permutationStart(seed, size, count));
        for (let number = 0; number < size; number++) {
          expect(isInPermutationStart(seed, size, count, number)).toBe(start.has(number));
        }
      }
    }
  });
});
