import { describe, expect, it } from 'vitest';
import { PresetHorizons } from '../../../src/audit/tests/preset-horizons.ts';
import { log10BinomialUpperTail } from '../../../src/stats/tails/binomial.ts';

function log10PAfter(coins: readonly boolean[]): number | undefined {
  const horizons = new PresetHorizons();
  let hits = 0;
  coins.forEach((hit, index) => {
    hits += Number(hit);
    horizons.look(hits, index + 1);
  });
  return horizons.log10P;
}

const run = (hit: boolean, count: number) => new Array<boolean>(count).fill(hit);

describe('PresetHorizons', () => {
  it('says nothing before the first horizon', () => {
    expect(log10PAfter(run(true, 15))).toBeUndefined();
  });

  it('charges each horizon its weight', () => {
    expect(log10PAfter(run(true, 16))).toBeCloseTo(Math.log10(2 * 2 ** -16), 12);
    expect(log10PAfter(run(true, 32))).toBeCloseTo(Math.log10(6 * 2 ** -32), 12);
    const third = log10BinomialUpperTail(48, 64, 0.5) + Math.log10(12);
    expect(log10PAfter([...run(false, 16), ...run(true, 48)])).toBeCloseTo(third, 12);
  });

  it('looks at horizons alone, keeps the best of them, and never exceeds 1', () => {
    expect(log10PAfter([...run(true, 16), ...run(false, 10)])).toBe(log10PAfter(run(true, 16)));
    expect(log10PAfter([...run(true, 16), ...run(false, 16)])).toBe(log10PAfter(run(true, 16)));
    expect(log10PAfter(run(false, 64))).toBe(0);
  });
});
