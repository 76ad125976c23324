import { expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { checkpointWeights, combineCheckpoints } from '../../src/stats/checkpoints.ts';
import { signMixtureLog10E } from '../../src/stats/sign-betting.ts';

it('gives growing weights that sum to 1', () => {
  for (const count of [1, 2, 8, 1000]) {
    const weights = checkpointWeights(count);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(weights).toEqual([...weights].sort((a, b) => a - b));
  }
  expect(-Math.log10(checkpointWeights(8).at(-1)!)).toBeCloseTo(0.43, 2);
  for (const count of [0, 1.5, Number.NaN]) {
    expect(() => checkpointWeights(count)).toThrow(TouchmarkError);
  }
});

it('adds what was reached and counts the rest as nothing', () => {
  const weights = [0.25, 0.25, 0.5];
  expect(combineCheckpoints([], weights)).toBe(-Infinity);
  expect(combineCheckpoints([2], weights)).toBeCloseTo(Math.log10(25), 12);
  expect(combineCheckpoints([2, 0, 1], weights)).toBeCloseTo(Math.log10(30.25), 12);
  expect(() => combineCheckpoints([1, 1, 1, 1], weights)).toThrow(TouchmarkError);
});

it('has an expectation of at most 1 for shared signs, also when it stops at its maximum', () => {
  const probes = [
    [0.2, 1, -0.5, 0.1, 0.7, 0.3, -1.1, 0.4],
    [0.9, 0.8, -0.4, 0.6, 0.2, 0.5, -0.9, 0.1],
    [1.5, 0.1, 0.3, 0.9, 0.4, -0.8, -0.2, 1.1],
  ];
  const weights = checkpointWeights(probes.length);
  let sum = 0;
  for (let pattern = 0; pattern < 256; pattern++) {
    const signs = Array.from({ length: 8 }, (_, index) => ((pattern >> index) & 1 ? 1 : -1));
    const log10Es = probes.map((scores) => signMixtureLog10E(scores, signs));
    const values = [1, 2, 3].map((reached) =>
      combineCheckpoints(log10Es.slice(0, reached), weights),
    );
    sum += 10 ** Math.max(...values);
  }
  expect(sum / 256).toBeLessThanOrEqual(1 + 1e-12);
});
