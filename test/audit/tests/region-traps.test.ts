import { describe, expect, it } from 'vitest';
import { regionProbe } from '../../../src/audit/material.ts';
import { regionTraps } from '../../../src/audit/tests/region-traps.ts';
import type { Observation, Outcome } from '../../../src/contracts.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import type { RegionLot } from '../../../src/traps/kinds/region.ts';
import { simulate } from './region-scene.ts';

const answered = (label: string): Outcome => ({ answer: { label } });
const salt = '0'.repeat(32);
const traps = Array.from({ length: 4 }, (_, index) => ({
  input: `question ${index}`,
  label: 'yes',
  weight: index + 1,
  salt,
}));
/** Statistics of references: with the same data 0..8, with other data all 3. */
const lot: RegionLot = {
  traps,
  calibration: { same: [0, 1, 2, 3, 4, 5, 6, 7, 8], other: [3, 3, 3] },
};

function runOver(
  lots: readonly (readonly [set: string, lot: RegionLot])[],
  answers: Outcome[],
  referencesExchangeable = true,
) {
  const regionLots = lots.map(([set, each], index) => ({
    set,
    lot: each,
    probes: each.traps.map(({ input }, place) => regionProbe(set, index, place, String(input))),
  }));
  const run = regionTraps.start({ ...simulate(), regionLots, referencesExchangeable });
  const rest = [...answers];
  const partial = run.evidence();
  for (let due = run.next(); due.length > 0 && rest.length > 0; due = run.next()) {
    run.fold(due.map((probe): Observation => ({ probe, ...rest.shift()! })));
  }
  return { partial, final: run.evidence() };
}

describe('region traps', () => {
  it('rank the weighted agreement among references, and count the smaller e-value', () => {
    const { partial, final } = runOver(
      [['a', lot]],
      [answered('no'), answered('yes'), answered('no'), answered('yes')],
    );
    expect(partial).toMatchObject({ status: 'partial', log10E: 0, null: 'reference' });
    expect(partial.log10P).toBeUndefined();
    expect(final).toMatchObject({ status: 'done', probes: 4, keyMaterial: [] });
    expect(final.effect).toMatchObject({
      traps: 4,
      agreed: 2,
      'p among same-data references': 4 / 10,
      'p among other-data references': 1 / 4,
    });
    expect(final.log10P).toBeCloseTo(Math.log10(0.4), 12);
    const sum = (count: number) =>
      Array.from({ length: count }, (_, k) => (k + 1) ** -2).reduce((a, b) => a + b);
    const [same, other] = [10 / (16 * sum(10)), 4 / sum(4)];
    expect(final.log10E).toBeCloseTo(Math.log10(Math.min(same, other)), 12);
  });

  it('are shown and count nothing unless the owner has sealed what they assume', () => {
    const yes = Array.from({ length: 4 }, () => answered('yes'));
    const { final } = runOver([['a', lot]], yes, false);
    expect(final).toMatchObject({ null: 'descriptive', status: 'done', log10E: 0 });
    expect(final.log10P).toBeUndefined();
    expect(final.effect['bans']).toBeCloseTo(runOver([['a', lot]], yes).final.log10E, 12);
  });

  it('take a missing answer and one outside the labels for no agreement', () => {
    const { final } = runOver(
      [['a', lot]],
      [{ missing: 'refused' }, answered('x'), { missing: 'failed' }, answered('yes')],
    );
    expect(final.effect).toMatchObject({ agreed: 1, share: 1 / 4 });
    expect(final.skipped).toEqual({ refused: 1, failed: 1 });
    expect(final.status).toBe('done');
  });

  it('add up the lots of one set, and average over sets', () => {
    const yes = () => answered('yes');
    const all = Array.from({ length: 8 }, yes);
    const together = runOver(
      [
        ['a', lot],
        ['a', lot],
      ],
      all,
    ).final;
    expect(together.effect).toMatchObject({ 'p among same-data references': 1 / 10 });
    expect(together.log10P).toBeCloseTo(Math.log10(1 / 4), 12);
    const apart = runOver(
      [
        ['a', lot],
        ['b', lot],
      ],
      all,
    ).final;
    expect(apart.log10E).toBeCloseTo(runOver([['a', lot]], all).final.log10E, 12);
    expect(apart.log10P).toBeUndefined();
  });

  it('do not apply to an audit without lots', () => {
    expect(runOver([], []).final).toMatchObject({
      status: 'not-applicable',
      log10E: 0,
      assumptions: [],
    });
  });

  it('have a mean e-value of at most 1 over suspects that are exchangeable with one kind', () => {
    const random = seededRandom('region null');
    const draws = 20_000;
    let total = 0;
    let small = 0;
    for (let draw = 0; draw < draws; draw += 1) {
      const agreement = () => Array.from({ length: 6 }, () => random.uniform() < 0.4);
      const statistic = (hits: boolean[]) => hits.filter(Boolean).length;
      const suspect = agreement();
      const drawn: RegionLot = {
        traps: suspect.map((_, index) => ({ input: `${index}`, label: 'yes', weight: 1, salt })),
        calibration: {
          same: Array.from({ length: 19 }, () => statistic(agreement())),
          other: Array.from({ length: 19 }, () => 0),
        },
      };
      const { final } = runOver(
        [['a', drawn]],
        suspect.map((hit) => answered(hit ? 'yes' : 'no')),
      );
      total += 10 ** final.log10E;
      if (final.log10P! <= Math.log10(0.05)) small += 1;
    }
    expect(total / draws).toBeLessThan(1.03);
    expect(small / draws).toBeLessThan(0.055);
    expect(small).toBeGreaterThan(0);
  });
});
