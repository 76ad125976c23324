import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type CustodyEvent,
  custodyPath,
  noteCustody,
  readCustody,
} from '../../src/ledger/custody.ts';
import { temporaryDirectory } from './records.ts';

const now = new Date('2026-03-10T12:00:00.000Z');
const eventOf = (number: number): CustodyEvent => ({
  at: now.toISOString(),
  what: number === 0 ? 'plan-sealed' : 'rehearsal',
  digest: Buffer.alloc(32, number).toString('hex'),
  ...(number === 2 && { key: { tenant: 'acme', epoch: 'e1' } }),
});

describe('the custody ledger', () => {
  it('keeps events in order, also when several writers note them at once', async () => {
    const directory = temporaryDirectory();
    expect((await readCustody(directory)).events).toEqual([]);
    await noteCustody(directory, [eventOf(0), eventOf(2)], now);
    await Promise.all([3, 4, 5].map((number) => noteCustody(directory, [eventOf(number)], now)));
    const { events, head } = await readCustody(directory);
    expect(events.slice(0, 2)).toEqual([eventOf(0), eventOf(2)]);
    expect(new Set(events.slice(2))).toEqual(new Set([3, 4, 5].map(eventOf)));
    expect(head.size).toBe(5);
    expect(statSync(custodyPath(directory)).mode & 0o777).toBe(0o600);
  });

  it('cuts off an unfinished line, and names a line that was changed', async () => {
    const directory = temporaryDirectory();
    await noteCustody(directory, [eventOf(0), eventOf(1)], now);
    const path = custodyPath(directory);
    appendFileSync(path, '{"event":');
    await noteCustody(directory, [eventOf(2)], now);
    expect((await readCustody(directory)).events).toEqual([0, 1, 2].map(eventOf));
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('rehearsal', 'run-finished'));
    await expect(readCustody(directory)).rejects.toThrow(/custody.jsonl:2: .* hash of its content/);
    writeFileSync(path, text.split('\n').slice(1).join('\n'));
    await expect(readCustody(directory)).rejects.toMatchObject({ code: 'LOG_INVALID' });
  });

  it('takes no event that it could not read', async () => {
    const directory = temporaryDirectory();
    const odd = { ...eventOf(1), digest: 'AB' };
    await expect(noteCustody(directory, [odd], now)).rejects.toThrow();
    expect((await readCustody(directory)).events).toEqual([]);
  });
});
