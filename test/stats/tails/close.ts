import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

interface SignTails {
  readonly tails: [threshold: number, log10P: number][];
}

/** Values of scripts/vectors/tails.py. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/tails.json', import.meta.url), 'utf8'),
) as {
  binomial: [successes: number, trials: number, probability: number, log10P: number][];
  gamma: [shape: number, value: number, log10P: number][];
  normal: [z: number, log10P: number][];
  signs: {
    lattice: (SignTails & { groups: [weight: number, count: number][] })[];
    enumeration: (SignTails & { weights: number[] })[];
  };
};

/** Every tail must be right to 1e-9 relative in log10 p. */
export function expectClose(actual: number, expected: number, what: unknown): void {
  const error = actual === expected ? 0 : Math.abs(actual / expected - 1);
  expect(error, `${JSON.stringify(what)}: ${actual} instead of ${expected}`).toBeLessThan(1e-9);
}
