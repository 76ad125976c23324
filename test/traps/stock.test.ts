import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrapEvent } from '../../src/traps/events.ts';
import {
  activeTraps,
  auditsRemaining,
  type ClaimedLot,
  foldStock,
  lotsForAudit,
  type TrapTarget,
} from '../../src/traps/stock.ts';

const at = '2026-03-10T12:00:00.000Z';
const coin: TrapTarget = { kind: 'coin', tenant: 'acme', epoch: 'e1' };
const region: TrapTarget = { kind: 'region', tenant: null, epoch: null };
const names = {
  coin: ['coin-aaaaaaaaaaaaaaaa', 'coin-bbbbbbbbbbbbbbbb'],
  region: ['region-cccccccccccccccc'],
};

function sealed(set: string, target: TrapTarget, lots: number[]): TrapEvent {
  const rest = { root: `sha256:${'0'.repeat(64)}`, records: null, bansPerLot: 1 };
  return { event: 'sealed', at, set, ...target, lots, ...rest };
}

function claim(set: string, lot: number, audit = 'x'): ClaimedLot {
  return { set, lot, suspect: 's', operator: null, audit };
}

const [older, newer] = names.coin as [string, string];
const [only] = names.region as [string];
const built = [
  sealed(older, coin, [3, 0, 2]),
  sealed(newer, coin, [1, 1, 1]),
  sealed(only, region, [5, 5]),
];

describe('foldStock', () => {
  it('never makes a lot active again, whatever follows and in whatever order', () => {
    const event = fc.record({
      event: fc.constantFrom('exposed' as const, 'retired' as const, 'claim' as const),
      set: fc.constantFrom(older, newer, only),
      lot: fc.option(fc.nat(2)),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (happenings) => {
        const events = [...built];
        const claims: ClaimedLot[] = [];
        const spent = new Set<string>();
        for (const { event: name, set, lot } of happenings) {
          if (name === 'claim') claims.push(claim(set, lot ?? 0));
          else if (name === 'exposed') events.push({ event: name, at, ...claim(set, lot ?? 0) });
          else events.push({ event: name, at, set, lot, why: 'leaked' });
          const { sets } = foldStock(events, claims);
          const active = sets.flatMap((each) =>
            each.lots.flatMap(({ state }, index) =>
              state === 'active' ? [`${each.sealed.set}/${index}`] : [],
            ),
          );
          if (lot !== null || name !== 'retired') spent.add(`${set}/${lot ?? 0}`);
          expect(active.filter((each) => spent.has(each))).toEqual([]);
        }
      }),
    );
  });

  it('tells claims that the ledger has not noted, and claims on what it does not know', () => {
    const noted: TrapEvent = { event: 'exposed', at, ...claim(older, 0) };
    const strange = [claim('coin-0123456789abcdef', 0), claim(only, 2)];
    const claims = [claim(older, 0), claim(older, 2), ...strange];
    const stock = foldStock([...built, noted], claims);
    expect(stock.unnotedClaims).toContainEqual(claim(older, 2));
    expect(stock.unnotedClaims).not.toContainEqual(claim(older, 0));
    expect(stock.orphanClaims).toEqual(strange);
  });
});

describe('lotsForAudit and auditsRemaining', () => {
  it('take a share of every coin set, and region lots in all, oldest first', () => {
    const stock = foldStock(built, [claim(older, 0), claim(only, 0)]);
    expect(lotsForAudit(stock, coin, 1)).toEqual([
      { set: older, lot: 1 },
      { set: newer, lot: 0 },
    ]);
    expect(lotsForAudit(stock, region, 2)).toEqual([{ set: only, lot: 1 }]);
    expect(lotsForAudit(stock, { ...coin, epoch: 'e2' }, 1)).toEqual([]);
    expect(activeTraps(stock, coin)).toBe(0 + 2 + 3);
    expect(activeTraps(stock, region)).toBe(5);
  });

  it('count down to nothing as audits claim what they are given', () => {
    const claims: ClaimedLot[] = [];
    for (const remaining of [3, 2, 1, 0]) {
      const stock = foldStock(built, claims);
      expect(auditsRemaining(stock, coin, 1)).toBe(remaining);
      const lots = lotsForAudit(stock, coin, 1);
      expect(lots.length > 0).toBe(remaining > 0);
      claims.push(...lots.map(({ set, lot }) => claim(set, lot)));
    }
    expect(auditsRemaining(foldStock(built, []), region, 0)).toBe(0);
    expect(auditsRemaining(foldStock(built, []), region, 2)).toBe(1);
  });
});
