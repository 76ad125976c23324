import type { Quota } from '../../config/tenants.ts';

const dayMilliseconds = 86_400_000;
/** Tenants looked at for forgetting with every request: more than one request can add. */
const looksPerRequest = 2;

/** Clocks in milliseconds: one that is never set, from any origin, and that of the calendar, since 1970. */
export interface QuotaClocks {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

export type Admission =
  | { readonly allowed: true }
  /** Whole seconds, 1 or more. */
  | { readonly allowed: false; readonly retryAfterSeconds: number };

interface Use {
  /** When, by the monotonic clock, the tenant will have as much as after a long pause. */
  full: number;
  /** Days since 1970. */
  day: number;
  /** When the day's count began, by the monotonic clock. */
  dayBegan: number;
  answers: number;
}

/**
 * Decides by tenants' quotas who may go on: requests per second through a token bucket (as the generic
 * cell rate algorithm, ITU-T I.371, which keeps one time per tenant), and answers per day of UTC. Both
 * in constant time; tenants that owe nothing are forgotten. Counts are kept in memory alone, by each
 * gateway of its own.
 *
 * No clock locks a tenant out for long: the bucket goes by a clock that is never set, a day ends
 * when the calendar says another date, earlier ones too, and after 24 hours at the latest.
 */
export class TenantQuotas {
  readonly #quotaOf: (tenant: string) => Quota | undefined;
  readonly #clocks: QuotaClocks;
  readonly #uses = new Map<string, Use>();
  #looks = this.#uses.entries();

  /** @param quotaOf asked at every request, so that it may change; undefined for no limits */
  constructor(quotaOf: (tenant: string) => Quota | undefined, clocks: QuotaClocks) {
    this.#quotaOf = quotaOf;
    this.#clocks = clocks;
  }

  /** Tenants that are remembered. */
  get size(): number {
    return this.#uses.size;
  }

  /**
   * Takes a request from a tenant's quotas when it comes, with 0 answers, or later the answers that it
   * turns out to ask for; nothing when what is asked for is used up. A request is refused too when the
   * day has no answer left. More answers at once than a day has are never allowed.
   *
   * @param answers inputs or choices asked for, a whole number; 0 for the request itself
   */
  take(tenant: string, answers: number): Admission {
    const now = this.#clocks.monotonic();
    const wall = this.#clocks.wall();
    this.#forgetSome(now, wall);
    const quota = this.#quotaOf(tenant);
    if (quota?.requestsPerSecond === undefined && quota?.answersPerDay === undefined) {
      return { allowed: true };
    }
    const use = this.#useOf(tenant, now, wall);
    const isRequest = answers === 0;
    const wait = Math.max(
      isRequest ? waitForRequest(use, quota, now) : 0,
      waitForAnswers(use, quota, Math.max(1, answers), now, wall),
    );
    if (wait > 0) {
      return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil(wait / 1000)) };
    }
    if (isRequest && quota.requestsPerSecond !== undefined) {
      use.full = Math.max(use.full, now) + 1000 / quota.requestsPerSecond;
    }
    if (quota.answersPerDay !== undefined) use.answers += answers;
    return { allowed: true };
  }

  /** Gives back answers that were taken today and not given; the request stays counted. */
  giveBack(tenant: string, answers: number): void {
    const use = this.#uses.get(tenant);
    if (use) use.answers = Math.max(0, use.answers - answers);
  }

  #useOf(tenant: string, now: number, wall: number): Use {
    const known = this.#uses.get(tenant);
    if (known === undefined) {
      const use = { full: now, day: dayOf(wall), dayBegan: now, answers: 0 };
      this.#uses.set(tenant, use);
      return use;
    }
    if (isOver(known, now, wall)) {
      known.day = dayOf(wall);
      known.dayBegan = now;
      known.answers = 0;
    }
    return known;
  }

  #forgetSome(now: number, wall: number): void {
    for (let look = 0; look < looksPerRequest; look += 1) {
      const next = this.#looks.next();
      if (next.done) {
        this.#looks = this.#uses.entries();
        return;
      }
      const [tenant, use] = next.value;
      const owes = use.full > now || (use.answers > 0 && !isOver(use, now, wall));
      if (!owes) this.#uses.delete(tenant);
    }
  }
}

function waitForRequest(use: Use, quota: Quota, now: number): number {
  const { requestsPerSecond } = quota;
  if (requestsPerSecond === undefined) return 0;
  const burst = quota.burst ?? Math.max(1, Math.ceil(requestsPerSecond));
  const interval = 1000 / requestsPerSecond;
  use.full = Math.min(use.full, now + burst * interval);
  return use.full - now - (burst - 1) * interval;
}

function waitForAnswers(
  use: Use,
  { answersPerDay }: Quota,
  answers: number,
  now: number,
  wall: number,
): number {
  if (answersPerDay === undefined || use.answers + answers <= answersPerDay) return 0;
  const midnight = (dayOf(wall) + 1) * dayMilliseconds;
  return Math.min(midnight - wall, use.dayBegan + dayMilliseconds - now);
}

function isOver(use: Use, now: number, wall: number): boolean {
  return use.day !== dayOf(wall) || now >= use.dayBegan + dayMilliseconds;
}

function dayOf(wall: number): number {
  return Math.floor(wall / dayMilliseconds);
}
