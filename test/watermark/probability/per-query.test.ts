import { describe, expect, it } from 'vitest';
import { CoinTree } from '../../../src/keys/coin-tree.ts';
import {
  perQueryDirection,
  perQueryScore,
  perQuerySign,
} from '../../../src/watermark/probability/per-query.ts';
import { keyOf } from '../fixtures.ts';

const signsOf = (name: string) => new CoinTree(keyOf(name));

describe('perQuerySign', () => {
  it('is fair over keys and over inputs', () => {
    let sum = 0;
    for (let key = 0; key < 100; key += 1) {
      for (let input = 0; input < 100; input += 1)
        sum += perQuerySign(signsOf(`${key}`), `${input}`);
    }
    expect(Math.abs(sum) / 100).toBeLessThan(4);
  });

  it('is the same for both spellings of one canonical input', () => {
    for (let key = 0; key < 20; key += 1) {
      expect(perQuerySign(signsOf(`${key}`), 'né'.normalize('NFD'))).toBe(
        perQuerySign(signsOf(`${key}`), 'né'),
      );
    }
  });
});

describe('perQueryDirection', () => {
  it('is fixed by the key and fair in every class', () => {
    expect(perQueryDirection(keyOf('a'), 8)).toEqual(perQueryDirection(keyOf('a'), 8));
    const sums = new Array<number>(8).fill(0);
    for (let key = 0; key < 400; key += 1) {
      perQueryDirection(keyOf(`${key}`), 8).forEach((sign, k) => {
        sums[k]! += sign;
      });
    }
    for (const sum of sums) expect(Math.abs(sum) / 20).toBeLessThan(4);
  });
});

describe('the balance of perQueryDirection', () => {
  it.each([2, 3, 4, 9, 30])('leaves no key dead with %i classes', (classes) => {
    for (let key = 0; key < 50; key += 1) {
      const direction = perQueryDirection(keyOf(`${key}`), classes);
      expect(direction.filter((sign) => sign === 1)).toHaveLength(Math.ceil(classes / 2));
    }
  });
});

describe('perQueryScore', () => {
  it('weighs each class by the root of its clean probability, as computed by hand', () => {
    // mean direction .64 - .36 = .28; .5 (1 - .28) .8 + .25 (-1 - .28) .6 = .288 - .192
    expect(perQueryScore([0.5, 0.25], [0.64, 0.36], [1, -1])).toBeCloseTo(0.096, 14);
  });

  it('is zero for a suspect that adds nothing, and turns with the residual', () => {
    expect(perQueryScore([0, 0, 0], [0.2, 0.3, 0.5], [1, -1, 1])).toBeCloseTo(0, 15);
    const score = perQueryScore([0.1, -0.2, 0.3], [0.2, 0.3, 0.5], [1, -1, 1]);
    expect(perQueryScore([-0.1, 0.2, -0.3], [0.2, 0.3, 0.5], [1, -1, 1])).toBeCloseTo(-score, 15);
  });
});
