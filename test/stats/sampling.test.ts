import { expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { kolmogorovSmirnov } from '../../src/stats/bounds.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { log10GammaUpperTail } from '../../src/stats/tails/gamma.ts';
import { log10NormalUpperTail } from '../../src/stats/tails/normal.ts';

const items = Array.from({ length: 10 }, (_, index) => index);

it('repeats itself for a seed, and only for that', () => {
  const draw = (seed: string) => {
    const random = seededRandom(seed);
    return [random.uniform(), random.integer(1000), random.normal(), ...random.shuffle(items)];
  };
  expect(draw('a')).toEqual(draw('a'));
  expect(draw('a')).not.toEqual(draw('b'));
  expect(seededRandom('frozen').integer(1e9)).toBe(306892581);
});

it('draws uniform and normal numbers', () => {
  const random = seededRandom('distribution');
  const uniform = Array.from({ length: 5000 }, () => random.uniform());
  const normal = Array.from({ length: 5000 }, () => 10 ** log10NormalUpperTail(random.normal()));
  for (const values of [
    uniform,
    uniform.map((value) => 1 - value),
    normal,
    normal.map((p) => 1 - p),
  ]) {
    expect(kolmogorovSmirnov(values).superUniformP).toBeGreaterThan(1e-4);
  }
});

it('draws every whole number and every order equally often', () => {
  const random = seededRandom('orders');
  const orders = new Map<string, number>();
  const integers = new Array<number>(6).fill(0);
  for (let trial = 0; trial < 6000; trial++) {
    const order = random.shuffle(['a', 'b', 'c']).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
    integers[random.integer(6)]!++;
  }
  expect(orders.size).toBe(6);
  for (const counts of [[...orders.values()], integers]) {
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(log10GammaUpperTail(5 / 2, chiSquare / 2)).toBeGreaterThan(-4);
  }
});

it('chooses without replacement and leaves its argument alone', () => {
  const random = seededRandom('choice');
  const chosen = random.choose(items, 4);
  expect(new Set(chosen).size).toBe(4);
  expect(chosen.every((item) => items.includes(item))).toBe(true);
  expect(random.shuffle(items).sort((a, b) => a - b)).toEqual(items);
  expect(items).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(random.choose(items, 0)).toEqual([]);
});

it('refuses bounds and counts that make no sense', () => {
  const random = seededRandom('errors');
  for (const below of [0, -1, 1.5, Number.NaN]) {
    expect(() => random.integer(below)).toThrow(TouchmarkError);
  }
  for (const count of [-1, 11, 0.5])
    expect(() => random.choose(items, count)).toThrow(TouchmarkError);
});
