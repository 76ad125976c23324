import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrapEvent } from '../../src/traps/events.ts';
import {
  checkClock,
  eventTime,
  isClockDoubtful,
  isRotated,
  periodOf,
  retirementsDue,
} from '../../src/traps/rotation.ts';
import { foldStock } from '../../src/traps/stock.ts';

const noon = new Date('2026-03-10T12:00:00.000Z');
const hoursLater = (hours: number) => new Date(noon.getTime() + hours * 3_600_000);
const stockAt = { lastEventAt: noon.toISOString() };
const set = (digit: string) => `region-${digit.repeat(16)}`;

function sealed(name: string, at = noon, lots = [5, 5, 5]): TrapEvent {
  return {
    event: 'sealed',
    at: at.toISOString(),
    set: name,
    kind: 'region',
    tenant: null,
    epoch: null,
    root: `sha256:${'0'.repeat(64)}`,
    lots,
    records: null,
    bansPerLot: 1,
  };
}

const nothing = {
  leakedSets: new Set<string>(),
  leakedLots: new Set<string>(),
  damaged: new Set<string>(),
  erased: new Set<string>(),
  maximumAgeDays: 30,
};

describe('periodOf', () => {
  it('is the calendar day of the time zone', () => {
    const lateEvening = new Date('2026-03-28T23:30:00.000Z');
    expect(periodOf(lateEvening, 'UTC')).toBe('2026-03-28');
    expect(periodOf(lateEvening, 'Europe/Berlin')).toBe('2026-03-29');
    expect(periodOf(lateEvening, 'America/Los_Angeles')).toBe('2026-03-28');
  });

  it('never goes back while the clock goes on, over changes to and from summer time', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        fc.nat(86_400_000),
        fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC'),
        (start, later, zone) => {
          const [first, second] = [start, new Date(start.getTime() + later)];
          return periodOf(first, zone) <= periodOf(second, zone);
        },
      ),
    );
  });
});

describe('the clock', () => {
  it('may be wrong by an hour either way', () => {
    for (const hours of [-1, 1, -2, 24 * 45]) {
      expect(isClockDoubtful(stockAt, hoursLater(hours))).toBe(false);
      expect(() => checkClock(stockAt, hoursLater(hours))).not.toThrow();
    }
  });

  it('is doubtful when it jumped by a year either way, and both times are told', () => {
    for (const hours of [-2.01, -24 * 365, 24 * 45 + 0.01, 24 * 365]) {
      const now = hoursLater(hours);
      const told = expect.objectContaining({
        code: 'CLOCK_DOUBTFUL',
        message: expect.stringMatching(
          new RegExp(
            `${now.toISOString()}.*${noon.toISOString()}`
              .replaceAll('.', '\\.')
              .replace('\\.*', '.*'),
          ),
        ),
        hint: expect.stringContaining('--trust-clock'),
      });
      expect(() => checkClock(stockAt, now)).toThrow(told);
      expect(eventTime(stockAt, now)).toBe(noon.toISOString());
    }
  });

  it('is believed before the first event, and after its owner vouched for it', () => {
    expect(isClockDoubtful({ lastEventAt: undefined }, hoursLater(1e6))).toBe(false);
    const vouched = hoursLater(24 * 400);
    const events: TrapEvent[] = [
      sealed(set('a')),
      { event: 'rotated', at: noon.toISOString(), period: '2026-03-10', built: 0, retired: 0 },
      { event: 'clock-trusted', at: vouched.toISOString() },
    ];
    const stock = foldStock(events, []);
    expect(isClockDoubtful(stock, vouched)).toBe(false);
    expect(isRotated(stock, '2026-03-10')).toBe(false);
  });
});

describe('isRotated', () => {
  it('holds for the period of the last rotation and those before it', () => {
    const rotated = { event: 'rotated', at: noon.toISOString(), built: 0, retired: 0 } as const;
    const stock = foldStock([{ ...rotated, period: '2026-03-10' }], []);
    expect(['2026-03-09', '2026-03-10', '2026-03-11'].map((day) => isRotated(stock, day))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('retirementsDue', () => {
  const claims = [{ set: set('a'), lot: 1, suspect: 's', operator: null, audit: 'x' }];
  const stock = foldStock([sealed(set('a')), sealed(set('b'), hoursLater(24 * 20))], claims);
  const due = (now: Date, findings: Partial<typeof nothing>) =>
    retirementsDue(stock, now, { ...nothing, ...findings }).map(({ event, lots }) => [
      event.set.at(-1),
      event.lot,
      event.why,
      lots,
    ]);

  it('retires exposed lots, and what is too old', () => {
    const exposed = ['a', 1, 'exposed', 1];
    expect(due(hoursLater(24 * 30), {})).toEqual([exposed]);
    expect(due(hoursLater(24 * 30 + 1), {})).toEqual([exposed, ['a', null, 'age', 2]]);
    expect(due(hoursLater(24 * 51), {}).at(-1)).toEqual(['b', null, 'age', 3]);
  });

  it('retires sets that leaked, were damaged or erased, and single lots that leaked', () => {
    expect(due(noon, { leakedSets: new Set([set('b')]) })).toContainEqual(['b', null, 'leaked', 3]);
    expect(due(noon, { damaged: new Set([set('b')]) })).toContainEqual(['b', null, 'damaged', 3]);
    expect(due(noon, { erased: new Set([set('b')]) })).toContainEqual(['b', null, 'erased', 3]);
    const lots = new Set([`${set('a')}/1`, `${set('a')}/2`, `${set('b')}/0`]);
    expect(due(noon, { leakedLots: lots })).toEqual([
      ['a', 1, 'exposed', 1],
      ['a', 2, 'leaked', 1],
      ['b', 0, 'leaked', 1],
    ]);
  });

  it('has nothing left to do once its events are in the ledger', () => {
    const findings = { ...nothing, leakedSets: new Set([set('a')]), damaged: new Set([set('b')]) };
    const events = retirementsDue(stock, noon, findings).map(({ event }) => event);
    const next = foldStock([sealed(set('a')), sealed(set('b')), ...events], claims);
    expect(retirementsDue(next, noon, findings)).toEqual([]);
    expect(next.sets.flatMap(({ lots }) => lots.map(({ state }) => state))).not.toContain('active');
  });
});
