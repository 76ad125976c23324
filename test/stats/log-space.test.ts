import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LN10, log1mExp, logAddExp, logSumExp } from '../../src/stats/log-space.ts';

const number = fc.double({ min: -700, max: 700, noNaN: true });

it('adds in log space as outside of it', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(logAddExp(a, b)).toBeCloseTo(Math.log(Math.exp(a) + Math.exp(b)), 10);
      expect(logSumExp([a, b])).toBeCloseTo(logAddExp(a, b), 10);
    }),
  );
  expect(logAddExp(-30_000, -30_000)).toBeCloseTo(-30_000 + Math.LN2, 9);
  expect(logAddExp(-Infinity, 3)).toBe(3);
  expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity);
  expect(logAddExp(Infinity, 1)).toBe(Infinity);
  expect(logAddExp(Number.NaN, 1)).toBeNaN();
  expect(logSumExp([])).toBe(-Infinity);
  expect(logSumExp([-40_000, -Infinity])).toBe(-40_000);
  expect(logSumExp([1, Number.NaN])).toBeNaN();
  expect(LN10).toBe(Math.log(10));
});

it('takes complements without losing either end', () => {
  expect(log1mExp(-1e-20) / Math.log(1e-20)).toBeCloseTo(1, 14);
  expect(log1mExp(-100) / -Math.exp(-100)).toBeCloseTo(1, 14);
  expect(log1mExp(-Math.LN2)).toBeCloseTo(-Math.LN2, 14);
  expect(log1mExp(-1000)).toBe(0);
  expect(log1mExp(0)).toBe(-Infinity);
  expect(log1mExp(0.1)).toBeNaN();
});
