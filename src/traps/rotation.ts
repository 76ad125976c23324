import { TouchmarkError } from '../errors.ts';
import type { TrapEventOf } from './events.ts';
import type { StockedSet, TrapStock } from './stock.ts';

const hour = 3_600_000;
const day = 24 * hour;
/** Clocks that were set wrong by an hour, as at a change to summer time, do no harm. */
const toleratedBack = 2 * hour;
const toleratedAhead = 45 * day;

/** Returns the calendar day, YYYY-MM-DD, that `now` falls on in a time zone. */
export function periodOf(now: Date, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(now);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
}

/** Decides whether a rotation is complete for the day of `now`, or for a later one. */
export function isRotated({ lastRotation }: TrapStock, period: string): boolean {
  return lastRotation !== undefined && period <= lastRotation.period;
}

/**
 * Decides whether the clock is not to be believed: more than two hours before the ledger's last
 * event, or more than 45 days after it.
 */
export function isClockDoubtful(
  { lastEventAt }: Pick<TrapStock, 'lastEventAt'>,
  now: Date,
): boolean {
  if (lastEventAt === undefined) return false;
  const passed = now.getTime() - Date.parse(lastEventAt);
  return passed < -toleratedBack || passed > toleratedAhead;
}

/**
 * Refuses to go on by a doubtful clock: traps would be retired that are young, or kept that are old.
 *
 * @throws TouchmarkError CLOCK_DOUBTFUL saying both times
 */
export function checkClock(stock: Pick<TrapStock, 'lastEventAt'>, now: Date): void {
  if (!isClockDoubtful(stock, now)) return;
  throw new TouchmarkError(
    'CLOCK_DOUBTFUL',
    `It is ${now.toISOString()} by this machine's clock, but the last thing that the trap ledger noted was at ${stock.lastEventAt}.`,
    {
      hint: 'Nothing was done. Set the clock right; if it is right, say so with: touchmark traps rotate --trust-clock',
    },
  );
}

/** Returns the time to note an event with: the clock's, or the last event's when that is doubtful. */
export function eventTime(stock: Pick<TrapStock, 'lastEventAt'>, now: Date): string {
  if (stock.lastEventAt !== undefined && isClockDoubtful(stock, now)) return stock.lastEventAt;
  return now.toISOString();
}

/** What rotation found out about lots, beside their age. */
export interface RetirementFindings {
  /** Sets that the owner says others know. */
  readonly leakedSets: ReadonlySet<string>;
  /** Lots, as `set/lot`, of which a question turned up in the serving log. */
  readonly leakedLots: ReadonlySet<string>;
  /** Sets whose file is not as it was sealed. */
  readonly damaged: ReadonlySet<string>;
  /** Sets whose records were erased from the serving log. */
  readonly erased: ReadonlySet<string>;
  readonly maximumAgeDays: number;
}

/** A retirement that is due, and how many lots it takes. */
export interface Retirement {
  readonly event: TrapEventOf<'retired'>;
  readonly lots: number;
}

/**
 * Returns what is to be retired: lots that were exposed, then whole sets that leaked, were damaged
 * or erased or are too old, then single lots that leaked. No lot is retired twice.
 */
export function retirementsDue(
  { sets }: Pick<TrapStock, 'sets'>,
  now: Date,
  findings: RetirementFindings,
): Retirement[] {
  return sets.flatMap((stocked) => {
    const { set } = stocked.sealed;
    const retired = (lot: number | null, why: TrapEventOf<'retired'>['why'], lots: number) => ({
      event: { event: 'retired' as const, at: now.toISOString(), set, lot, why },
      lots,
    });
    const numbers = stocked.lots.map((lot, number) => ({ ...lot, number }));
    const exposed = numbers.filter(({ state }) => state === 'exposed');
    const active = numbers.filter(({ state }) => state === 'active');
    const due = exposed.map(({ number }) => retired(number, 'exposed', 1));
    if (active.length === 0) return due;
    const why = wholeSetReason(stocked, now, findings);
    if (why !== undefined) return [...due, retired(null, why, active.length)];
    const leaked = active.filter(({ number }) => findings.leakedLots.has(`${set}/${number}`));
    return [...due, ...leaked.map(({ number }) => retired(number, 'leaked', 1))];
  });
}

function wholeSetReason(
  { sealed }: StockedSet,
  now: Date,
  { leakedSets, damaged, erased, maximumAgeDays }: RetirementFindings,
): 'leaked' | 'damaged' | 'erased' | 'age' | undefined {
  if (leakedSets.has(sealed.set)) return 'leaked';
  if (erased.has(sealed.set)) return 'erased';
  if (damaged.has(sealed.set)) return 'damaged';
  const age = now.getTime() - Date.parse(sealed.at);
  return age > maximumAgeDays * day ? 'age' : undefined;
}
