import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/contracts.ts';
import { runEntrySchema, verifyRunEntries } from '../../src/ledger/run-chain.ts';
import { openRunLog, readRunLog, runLogPath } from '../../src/ledger/run-log.ts';
import { temporaryDirectory } from './records.ts';

const plan = 'sha256:plan';
const answer = (label: string, ...probabilities: number[]): Outcome => ({
  answer: probabilities.length === 0 ? { label } : { label, probabilities },
});
const given = (id: string, outcome: Outcome, milliseconds?: number) => ({
  probe: { id },
  outcome,
  ...(milliseconds !== undefined && { milliseconds }),
});

const first = [
  given('log/1', answer('a', 0.25, 0.75), 1.5),
  given('log/2', { missing: 'refused' }),
  given('log/3', answer('größer – 更大 \ud800')),
];

async function readAll(directory: string): Promise<void> {
  for await (const _ of readRunLog(directory, plan));
}

async function threeAnswers() {
  const directory = temporaryDirectory();
  const log = await openRunLog(directory, plan);
  await log.record(first);
  await log.close();
  return { directory, path: runLogPath(directory), head: log.head };
}

describe('a run log', () => {
  it('gives back what was recorded, also after it was opened again', async () => {
    const { directory, path, head } = await threeAnswers();
    const log = await openRunLog(directory, plan);
    expect(log.answered).toBe(3);
    expect(log.head).toEqual(head);
    for (const { probe, outcome } of first) expect(log.recall(probe)).toEqual(outcome);
    expect(first.map(({ probe }) => log.millisecondsOf(probe))).toEqual([
      1.5,
      undefined,
      undefined,
    ]);
    expect(log.recall({ id: 'log/4' })).toBeUndefined();
    await log.record([given('log/4', answer('b', 1, 0))]);
    await log.close();
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    const entries = lines.map((line) => runEntrySchema.parse(JSON.parse(line)));
    const verified = verifyRunEntries(plan, entries);
    expect(verified).toMatchObject({ head: log.head });
    expect(verified.broken).toBeUndefined();
    expect(new Set(entries.map(({ salt }) => salt)).size).toBe(4);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('drops a last line that was cut at any byte, and goes on after it', async () => {
    const { directory, path } = await threeAnswers();
    const whole = readFileSync(path);
    const last = whole.lastIndexOf('\n', whole.length - 2) + 1;
    const secondLast = whole.lastIndexOf('\n', last - 2) + 1;
    for (let end = secondLast; end < whole.length; end += 17) {
      writeFileSync(path, whole.subarray(0, end));
      const kept = end < last ? 1 : 2;
      const log = await openRunLog(directory, plan);
      expect(log.answered).toBe(kept);
      await log.record(first.slice(kept));
      await log.close();
      const again = await openRunLog(directory, plan);
      expect([again.answered, again.head]).toEqual([3, log.head]);
      await again.close();
    }
  });

  it('finds the change of any one byte, and names the line', async () => {
    const { directory, path } = await threeAnswers();
    const whole = readFileSync(path);
    for (let index = 0; index < whole.length - 1; index += 3) {
      const edited = Buffer.from(whole);
      edited[index] = edited[index]! ^ 1;
      writeFileSync(path, edited);
      await expect(readAll(directory)).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
        exitCode: 6,
        message: expect.stringMatching(/answers\.jsonl:[123]: this line /),
      });
    }
  });

  it('belongs to one plan and to one process at a time', async () => {
    const { directory } = await threeAnswers();
    await expect(openRunLog(directory, 'sha256:other')).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining(':1: this line does not link to the entry before it'),
    });
    const log = await openRunLog(directory, plan);
    await expect(openRunLog(directory, plan)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await log.close();
  });

  it('answers a probe once, also when two answers come at the same time', async () => {
    const { directory } = await threeAnswers();
    const log = await openRunLog(directory, plan);
    await expect(log.record([given('log/2', answer('a'))])).rejects.toThrow(RangeError);
    await log.close();
    const again = await openRunLog(directory, plan);
    const both = [answer('a'), answer('b')].map((each) => again.record([given('log/4', each)]));
    for (const each of both) await expect(each).rejects.toThrow(RangeError);
    await again.close();
    await readAll(directory);
  });

  it('keeps records apart that are made at the same time', async () => {
    const directory = temporaryDirectory();
    const log = await openRunLog(directory, plan);
    const batches = Array.from({ length: 24 }, (_, batch) =>
      Array.from({ length: 40 }, (_, index) =>
        given(`log/${batch}/${index}`, answer('a'.repeat(1 + ((7 * index) % 300)), batch, index)),
      ),
    );
    await Promise.all(batches.map((batch) => log.record(batch)));
    await log.close();
    const again = await openRunLog(directory, plan);
    expect(again.answered).toBe(24 * 40);
    for (const each of batches.flat()) expect(again.recall(each.probe)).toEqual(each.outcome);
    await again.close();
  });

  it('writes nothing after a record that failed, until it is opened again', async () => {
    const directory = temporaryDirectory();
    const log = await openRunLog(directory, plan);
    const failed = log.record([given('log/1', answer('a', Number.NaN))]);
    const next = log.record([given('log/2', answer('a'))]);
    await expect(failed).rejects.toThrow();
    await expect(next).rejects.toBe(await failed.catch((error: unknown) => error));
    expect(log.answered).toBe(0);
    await log.close();
    expect(readFileSync(runLogPath(directory), 'utf8')).toBe('');
  });
});
