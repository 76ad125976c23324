import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Budget } from '../../src/audit/budget.ts';
import { Pace } from '../../src/audit/pace.ts';
import { Transport } from '../../src/models/adapters/transport.ts';
import {
  type Behaviour,
  type HostileServer,
  say,
  startHostileServer,
} from '../models/adapters/hostile-server.ts';

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});
afterAll(() => server.close());

const never = new AbortController().signal;
const notes: unknown[] = [];
const journal = {
  sent: async () => void notes.push('sent'),
  failed: (failure: object) => void notes.push(failure),
  spent: (tokens: number) => void notes.push({ tokens }),
};

async function through<T>(
  pace: Pace,
  script: readonly Behaviour[],
  work: (post: () => Promise<unknown>, transport: Transport) => Promise<T>,
): Promise<T> {
  server.play(...script);
  notes.length = 0;
  const transport = new Transport({ retryDelayMilliseconds: 2, gate: pace });
  try {
    return await work(() => transport.post(new URL('/', server.origin), {}, never), transport);
  } finally {
    await transport.close();
  }
}

const failure = (post: () => Promise<unknown>) =>
  post().then(
    () => undefined,
    (error: unknown) => error,
  );
const quota = (code: string, type = 'x') =>
  say({ error: { message: 'no', code, type } }, 429, { 'retry-after': '1' });

describe('the pace of an audit', () => {
  it('grows by one request a round, and halves once for all that were under way', async () => {
    const pace = new Pace({ maximum: 6 });
    expect(pace.concurrency).toBe(4);
    const script = [...Array.from({ length: 5 }, () => say(1)), say('slow', 429), say(1)];
    await through(pace, script, async (post) => {
      for (let count = 0; count < 5; count += 1) await post();
      expect(pace.concurrency).toBe(5);
      const before = pace.disturbances;
      await post();
      expect(pace.concurrency).toBe(2);
      expect(pace.disturbances).toBeGreaterThan(before);
      for (let count = 0; count < 40; count += 1) await post();
      expect(pace.concurrency).toBe(6);
    });
    const late = { status: 429, succeeded: false, throttled: true, retryAfterMilliseconds: 0 };
    for (const milliseconds of [0, 50, 70]) pace.note({ ...late, milliseconds, attempt: 1 });
    expect(pace.concurrency).toBe(3);
  });

  it('holds everybody while one was told to wait', async () => {
    const pace = new Pace({ journal });
    const told = say('slow', 503, { 'retry-after': '1' });
    await through(pace, [told, say(1)], async (post) => {
      const first = post();
      while (server.received.length === 0) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await Promise.all([first, post(), post()]);
    });
    const [begun, ...others] = server.received.map(({ at }) => at);
    expect(others).toHaveLength(3);
    for (const at of others) expect(at - begun!).toBeGreaterThanOrEqual(990);
    expect(notes.filter((note) => note === 'sent')).toHaveLength(4);
    expect(notes).toContainEqual({ status: 503, attempt: 1, waitMilliseconds: 1000 });
  });

  it('asks a throttling suspect again and again, until its patience ends', async () => {
    const busy = Array.from({ length: 7 }, () => say('slow', 429));
    await through(new Pace(), [...busy, say({ fine: true })], async (post, transport) => {
      expect(await post()).toEqual({ fine: true });
      expect(transport.counts).toEqual({ requests: 8, retries: 7 });
    });
    const pace = new Pace({ patienceMilliseconds: 150 });
    const error = await through(pace, [say('slow', 429)], failure);
    expect(error).toMatchObject({
      code: 'RUN_INCOMPLETE',
      exitCode: 4,
      message: expect.stringContaining('has answered every request with 429 for'),
    });
    expect(server.received.length).toBeGreaterThan(5);
  });

  it('gives up after four other failures in one request', async () => {
    const error = await through(new Pace(), [say('down', 502)], failure);
    expect(error).toMatchObject({ code: 'SUSPECT_UNREACHABLE' });
    expect(server.received).toHaveLength(5);
  });

  it.each([
    ['an insufficient quota', quota('insufficient_quota'), 'after 20'],
    ['a hard limit', quota('x', 'billing_hard_limit_reached'), 'after 20'],
    ['a quota exceeded', say({ error: { type: 'quota_exceeded' } }, 403), 'later'],
    ['a bill', say('pay', 402), 'later'],
    ['a wait beyond the limit', say('no', 429, { 'retry-after': '86400' }), 'after 20'],
  ])('tells %s from a passing 429, at once', async (_, behaviour, when) => {
    const error = await through(new Pace({ journal }), [behaviour], failure);
    expect(error).toMatchObject({
      code: 'RUN_INCOMPLETE',
      message: expect.stringContaining('takes no more requests for now: status 4'),
      hint: expect.stringMatching(new RegExp(`kept: go on ${when}.*--resume`)),
    });
    expect(server.received).toHaveLength(1);
  });

  it('does not take a passing 429 for an empty quota', async () => {
    const limited = quota('rate_limit_exceeded', 'requests');
    await through(new Pace(), [limited, say(1)], async (post) => expect(await post()).toBe(1));
  });

  it('counts requests and tokens against the budget, each attempt by itself', async () => {
    const budget = new Budget({ requests: 3 });
    const pace = new Pace({ budget, journal });
    const answer = say({ usage: { total_tokens: 7 } });
    const error = await through(pace, [say('down', 502), answer, answer], async (post) => {
      await post();
      await post();
      return failure(post);
    });
    expect(error).toMatchObject({ code: 'RUN_INCOMPLETE' });
    expect(server.received).toHaveLength(3);
    expect(budget.spending).toMatchObject({ requests: 3, tokens: 14 });
    expect(notes).toEqual([
      'sent',
      { status: 502, attempt: 1, waitMilliseconds: 0 },
      'sent',
      { tokens: 7 },
      'sent',
      { tokens: 7 },
    ]);
  });
});
