import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { attemptsPath, openRunAttempts } from '../../src/ledger/run-attempts.ts';
import { temporaryDirectory } from './records.ts';

async function session(directory: string) {
  const attempts = await openRunAttempts(directory);
  await attempts.sent();
  attempts.failed({ status: 429, waitMilliseconds: 2000, attempt: 1 });
  await attempts.sent();
  attempts.spent(7);
  await attempts.close();
  return attempts.earlier;
}

it('counts the requests and tokens of all sessions, whatever a crash left of the last line', async () => {
  const directory = temporaryDirectory();
  expect(await session(directory)).toEqual({ requests: 0, tokens: 0, seconds: 0 });
  expect(await session(directory)).toMatchObject({ requests: 2, tokens: 7 });
  const path = attemptsPath(directory);
  const whole = readFileSync(path);
  for (let end = whole.length - 60; end <= whole.length; end += 6) {
    writeFileSync(path, whole.subarray(0, end));
    const { requests } = await session(directory);
    expect(requests).toBe(end > whole.length - 60 + 1 ? 4 : requests);
    expect([3, 4]).toContain(requests);
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('what');
  }
});

it('takes the time of a session from its first line to its last', async () => {
  const directory = temporaryDirectory();
  const line = (second: number, what: string) =>
    `{"at":"2026-01-01T00:00:${second}Z","what":"${what}"}\n`;
  const text = [line(10, 'began'), line(14, 'sent'), line(40, 'began'), line(41, 'sent')].join('');
  writeFileSync(attemptsPath(directory), text);
  const attempts = await openRunAttempts(directory);
  await attempts.close();
  expect(attempts.earlier).toEqual({ requests: 2, tokens: 0, seconds: 5 });
});
