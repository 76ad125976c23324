import { expect, it } from 'vitest';
import { regionProbe } from '../../src/audit/material.ts';
import type { Evidence } from '../../src/contracts.ts';
import { nullsOf } from '../../src/operations/audit-nulls.ts';
import { nullSchema } from '../../src/report/parts.ts';

const evidence = (test: string, effect: Record<string, number>, more: Partial<Evidence> = {}) => ({
  ...{ test, null: 'keyed' as const, status: 'done' as const, log10E: 0, probes: 3 },
  ...{ skipped: {}, effect, keyMaterial: [], assumptions: [] },
  ...more,
});

const lot = (weights: readonly number[], same: number[], other: number[]) => ({
  traps: weights.map((weight, index) => ({ input: `trap ${index}`, label: 'oak', weight })),
  ...{ calibration: { same, other } },
});

it('says what chance gives for every test whose findings tell', () => {
  const lots = [lot([1, 2], [1, 0], [2]), lot([4, 8], [3, 1], [0])];
  const regionLots = lots.map((each, index) => ({
    ...{ set: 'region-1', lot: each as never },
    probes: each.traps.map(({ input }, place) => regionProbe('region-1', index, place, input)),
  }));
  const unserved = new Map(
    ['oak', 'fir', 'oak', undefined].map((label, index) => [
      regionLots[index >> 1]!.probes[index & 1]!.id,
      { label, at: '2026-01-01T00:00:00Z' },
    ]),
  );
  const found = nullsOf(
    [
      evidence('label-coins', { coins: 40, hits: 31 }, { log10P: -3 }),
      evidence('probability-per-query', { signs: 500, agreeing: 300 }),
      evidence('probability-signs', { bans: 2, z: 4.5 }),
      evidence('probability-signs-replay', { bans: 0 }, { status: 'partial' }),
      evidence('region-traps', {}, { null: 'reference' }),
      evidence('fingerprint-quirks', {}),
    ],
    { material: { regionLots }, answers: { unserved, outsideLabels: 0 } },
  );
  expect(found).toEqual([
    expect.objectContaining({ shape: 'coin-binomial', trials: 40, observed: 31, log10P: -3 }),
    expect.objectContaining({ test: 'probability-per-query', trials: 500, observed: 300 }),
    { test: 'probability-signs', kind: 'keyed', shape: 'standard-signs', observed: 4.5 },
    expect.objectContaining({ test: 'region-traps', draws: [4, 1, 2], observed: 5 }),
  ]);
  for (const each of found) expect(nullSchema.safeParse(each).success).toBe(true);
});

it('says nothing where no coin fell and nobody has answered all of the traps', () => {
  const none = [
    evidence('label-coins', { coins: 0, hits: 0 }),
    evidence('region-traps', {}, { status: 'partial', null: 'reference' }),
  ];
  const answers = { unserved: new Map(), outsideLabels: 0 };
  expect(nullsOf(none, { material: { regionLots: [] }, answers })).toEqual([]);
});
