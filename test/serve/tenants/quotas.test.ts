import { describe, expect, it } from 'vitest';
import type { Quota } from '../../../src/config/tenants.ts';
import { TenantQuotas } from '../../../src/serve/tenants/quotas.ts';

const hour = 3_600_000;
const day = 24 * hour;
const noon = Date.UTC(2026, 4, 20, 12);

function quotasOf(quotaOf: (tenant: string) => Quota | undefined) {
  const time = { monotonic: 5000, wall: noon };
  const quotas = new TenantQuotas(quotaOf, {
    monotonic: () => time.monotonic,
    wall: () => time.wall,
  });
  const pass = (milliseconds: number) => {
    time.monotonic += milliseconds;
    time.wall += milliseconds;
  };
  const wait = (tenant: string, answers = 0) => {
    const admission = quotas.take(tenant, answers);
    return admission.allowed ? 0 : admission.retryAfterSeconds;
  };
  return { quotas, time, pass, wait };
}

describe('requests per second', () => {
  it('lets a burst pass, then the rate, whatever was refused', () => {
    const { pass, wait } = quotasOf(() => ({ requestsPerSecond: 2, burst: 5 }));
    const burst = Array.from({ length: 8 }, () => wait('acme'));
    expect(burst).toEqual([0, 0, 0, 0, 0, 1, 1, 1]);
    let allowed = 0;
    for (let step = 0; step < 1000; step += 1) {
      pass(10);
      if (wait('acme') === 0) allowed += 1;
    }
    expect(allowed).toBe(20);
    pass(hour);
    expect(Array.from({ length: 6 }, () => wait('acme'))).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it('says how long to wait, and that is long enough', () => {
    const { pass, wait } = quotasOf(() => ({ requestsPerSecond: 0.1 }));
    expect(wait('acme')).toBe(0);
    pass(2500);
    expect(wait('acme')).toBe(8);
    pass(8000);
    expect(wait('acme')).toBe(0);
  });

  it('counts each tenant alone, by its own quota', () => {
    const own = new Map([
      ['slow', { requestsPerSecond: 1 }],
      ['fast', { requestsPerSecond: 3 }],
    ]);
    const { wait } = quotasOf((tenant) => own.get(tenant));
    for (const [tenant, rate] of [
      ['slow', 1],
      ['fast', 3],
    ] as const) {
      const waits = Array.from({ length: 5 }, () => wait(tenant));
      expect(waits.filter((each) => each === 0)).toHaveLength(rate);
    }
    expect(Array.from({ length: 99 }, () => wait('free')).every((each) => each === 0)).toBe(true);
  });
});

describe('answers per day', () => {
  it('ends with the day of UTC, and takes nothing for what it refuses', () => {
    const { quotas, pass, wait } = quotasOf(() => ({ answersPerDay: 100 }));
    expect([wait('acme', 60), wait('acme', 41), wait('acme', 40)]).toEqual([0, 12 * 3600, 0]);
    expect([wait('acme'), wait('acme', 1)]).toEqual([12 * 3600, 12 * 3600]);
    quotas.giveBack('acme', 7);
    expect([wait('acme', 8), wait('acme', 7)]).toEqual([12 * 3600, 0]);
    pass(12 * hour - 1);
    expect(wait('acme')).toBe(1);
    pass(1);
    expect(wait('acme', 100)).toBe(0);
    expect(wait('acme')).toBe(24 * 3600);
  });

  it('counts a request once, when it comes, and its answers when they are known', () => {
    const { wait } = quotasOf(() => ({ requestsPerSecond: 1, burst: 2, answersPerDay: 10 }));
    expect([wait('acme'), wait('acme', 9), wait('acme', 2)]).toEqual([0, 0, 12 * 3600]);
    expect([wait('acme'), wait('acme', 1), wait('acme')]).toEqual([0, 0, 12 * 3600]);
  });
});

describe('a clock that is set', () => {
  it.each([
    ['a year ahead', 365 * day, 0],
    ['a year back', -365 * day, 0],
    ['eleven hours back, on the same day', -11 * hour, 24 * 3600 - 600],
  ])('%s locks nobody out for longer than the day has left', (_, jump, wait) => {
    const scene = quotasOf(() => ({ requestsPerSecond: 1, answersPerDay: 10 }));
    expect(scene.wait('acme', 10)).toBe(0);
    scene.pass(600_000);
    scene.time.wall += jump;
    const found = scene.wait('acme', 10);
    expect(found).toBeLessThanOrEqual(wait);
    scene.pass(found * 1000);
    if (found > 0) expect(scene.wait('acme', 10)).toBe(0);
  });

  it('that was wrong when the day began locks nobody out once it is right', () => {
    const scene = quotasOf(() => ({ answersPerDay: 10 }));
    scene.time.wall = Date.UTC(2099, 0, 1);
    expect(scene.wait('acme', 10)).toBe(0);
    scene.time.wall = noon;
    expect(scene.wait('acme', 10)).toBe(0);
  });

  it('and one that stands still, or runs backwards, costs a burst at most', () => {
    const scene = quotasOf(() => ({ requestsPerSecond: 1, burst: 3 }));
    for (let request = 0; request < 3; request += 1) scene.wait('acme');
    scene.time.monotonic -= day;
    expect(scene.wait('acme')).toBeLessThanOrEqual(1);
  });
});

describe('memory', () => {
  it('forgets tenants that owe nothing, and none that do', () => {
    const { quotas, pass, wait } = quotasOf((tenant) =>
      tenant === 'daily' ? { answersPerDay: 5 } : { requestsPerSecond: 1 },
    );
    expect(wait('daily', 5)).toBe(0);
    for (let index = 0; index < 10_000; index += 1) wait(`tenant-${index}`);
    expect(quotas.size).toBe(10_001);
    pass(hour);
    for (let index = 0; index < 10_000; index += 1) wait('busy');
    expect(quotas.size).toBeLessThanOrEqual(2);
    expect(wait('daily')).toBeGreaterThan(0);
    pass(day);
    for (let index = 0; index < 10; index += 1) wait('busy');
    expect(quotas.size).toBe(1);
  });

  it('keeps nothing of tenants without limits', () => {
    const { quotas, wait } = quotasOf(() => ({}));
    for (let index = 0; index < 100; index += 1) wait(`tenant-${index}`);
    expect(quotas.size).toBe(0);
  });
});
