import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Outcome, Probe } from '../../src/contracts.ts';
import { RunDirectory } from '../../src/store/run-directory.ts';
import { temporaryDirectory } from './directory.ts';

const probe = (id: string): Probe => ({ id, task: 'classify', input: id, repeat: 0 });
const answer = (label: string, ...probabilities: number[]): Outcome => ({
  answer: { label, ...(probabilities.length > 0 && { probabilities }) },
});

/** A run of three answers, the last one with letters of several bytes. */
async function threeAnswers(): Promise<{ readonly path: string; readonly log: string }> {
  const path = join(temporaryDirectory(), 'run');
  const run = await RunDirectory.create(path, 'plan', 'material');
  await run.record([
    { probe: probe('log/1'), outcome: answer('a', 0.25, 0.75) },
    { probe: probe('log/2'), outcome: { missing: 'refused' } },
  ]);
  await run.record([{ probe: probe('log/3'), outcome: answer('größer – 更大') }]);
  await run.close();
  return { path, log: join(path, 'answers.jsonl') };
}

describe('a run directory', () => {
  it('recalls what was recorded, with plan and material, private to its owner', async () => {
    const { path } = await threeAnswers();
    const run = await RunDirectory.resume(path);
    expect(run.answered).toBe(3);
    expect(run.recall(probe('log/1'))).toEqual(answer('a', 0.25, 0.75));
    expect(run.recall(probe('log/2'))).toEqual({ missing: 'refused' });
    expect(run.recall(probe('log/3'))).toEqual(answer('größer – 更大'));
    expect(run.recall(probe('log/4'))).toBeUndefined();
    expect([await run.readText('plan'), await run.readText('material')]).toEqual([
      'plan',
      'material',
    ]);
    const files = readdirSync(path);
    expect(files.sort()).toEqual(['answers.jsonl', 'material.json', 'plan.json']);
    for (const file of files) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
  });

  it('remembers how long an answer took, where that was measured', async () => {
    const path = join(temporaryDirectory(), 'run');
    const run = await RunDirectory.create(path, 'plan', 'material');
    await run.record([
      { probe: probe('timed/0'), outcome: answer('a'), milliseconds: 1.5 },
      { probe: probe('timed/1'), outcome: { missing: 'refused' } },
    ]);
    await run.close();
    const again = await RunDirectory.resume(path);
    expect(again.millisecondsOf(probe('timed/0'))).toBe(1.5);
    expect(again.recall(probe('timed/0'))).toEqual(answer('a'));
    expect(again.millisecondsOf(probe('timed/1'))).toBeUndefined();
  });

  it('drops a last line that was cut at any byte, and goes on after it', async () => {
    const { path, log } = await threeAnswers();
    const whole = readFileSync(log);
    const kept = whole.lastIndexOf('\n', whole.length - 2) + 1;
    for (let end = kept; end < whole.length; end += 1) {
      writeFileSync(log, whole.subarray(0, end));
      const run = await RunDirectory.resume(path);
      expect(run.answered).toBe(2);
      await run.record([{ probe: probe('log/3'), outcome: answer('b') }]);
      await run.close();
      const again = await RunDirectory.resume(path);
      expect([again.answered, again.recall(probe('log/3'))]).toEqual([3, answer('b')]);
    }
  });

  it.each([
    ['is no JSON', 'log'],
    ['lacks its outcome', '{"id":"log/2"}'],
    [
      'has a probability that is none',
      '{"id":"x","outcome":{"answer":{"label":"a","probabilities":[null]}}}',
    ],
    ['says more than was recorded', '{"id":"x","outcome":{"missing":"refused"},"note":1}'],
  ])('names a line that %s', async (_, line) => {
    const { path, log } = await threeAnswers();
    const lines = readFileSync(log, 'utf8').split('\n');
    writeFileSync(log, lines.with(1, line).join('\n'));
    await expect(RunDirectory.resume(path)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      exitCode: 6,
      message: `${log}: line 2 is no recorded answer`,
    });
  });

  it('keeps records apart that are made at the same time', async () => {
    const path = temporaryDirectory();
    const run = await RunDirectory.create(path, 'plan', 'material');
    const batches = Array.from({ length: 24 }, (_, batch) =>
      Array.from({ length: 40 }, (_, index) => ({
        probe: probe(`log/${batch}/${index}`),
        outcome: answer('a'.repeat(1 + ((7 * index) % 300)), batch, index),
      })),
    );
    await Promise.all(batches.map((batch) => run.record(batch)));
    await run.close();
    const again = await RunDirectory.resume(path);
    expect(again.answered).toBe(24 * 40);
    for (const each of batches.flat()) expect(again.recall(each.probe)).toEqual(each.outcome);
  });

  it('writes nothing after a write that failed, which may have left part of a line', async () => {
    const path = temporaryDirectory();
    const run = await RunDirectory.create(path, 'plan', 'material');
    symlinkSync('/dev/full', join(path, 'answers.jsonl'));
    const record = () => run.record([{ probe: probe('log/1'), outcome: answer('a') }]);
    const failure = { code: 'STORE_FULL', exitCode: 6 };
    const [first, second] = [record(), record()];
    await expect(first).rejects.toMatchObject(failure);
    await expect(second).rejects.toBe(await first.catch((error: unknown) => error));
    expect(run.answered).toBe(0);
    await run.close();
  });
});

describe('a directory for one audit', () => {
  it('goes to one of several that begin at once, with its own material', async () => {
    const path = join(temporaryDirectory(), 'run');
    const begun = await Promise.allSettled(
      Array.from({ length: 8 }, (_, number) =>
        RunDirectory.create(path, `plan ${number}`, `material ${number}`),
      ),
    );
    const winner = begun.findIndex(({ status }) => status === 'fulfilled');
    const run = await RunDirectory.resume(path);
    expect(await run.readText('plan')).toBe(`plan ${winner}`);
    expect(await run.readText('material')).toBe(`material ${winner}`);
    const losers = begun.filter((each) => each.status === 'rejected');
    expect(losers).toHaveLength(7);
    for (const { reason } of losers) {
      expect(reason).toMatchObject({ code: 'RUN_CONFLICT', exitCode: 2 });
      expect(reason.message).toContain('already holds an audit');
    }
    expect(readdirSync(path).sort()).toEqual(['material.json', 'plan.json']);
  });

  it('is refused when it holds a run, or answers without their plan', async () => {
    const { path } = await threeAnswers();
    await expect(RunDirectory.requireVacant(path)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
    const other = temporaryDirectory();
    writeFileSync(join(other, 'answers.jsonl'), '');
    await expect(RunDirectory.create(other, 'plan', 'material')).rejects.toMatchObject({
      code: 'RUN_CONFLICT',
      message: expect.stringContaining('without plan'),
    });
    await RunDirectory.requireVacant(join(other, 'nothing', 'there'));
  });

  it('cannot be resumed without a plan, nor read without material', async () => {
    const path = temporaryDirectory();
    await expect(RunDirectory.resume(path)).rejects.toMatchObject({
      code: 'RUN_CONFLICT',
      hint: 'start one without --resume',
    });
    writeFileSync(join(path, 'plan.json'), 'plan');
    const run = await RunDirectory.resume(path);
    await expect(run.readText('material')).rejects.toMatchObject({
      code: 'RUN_CONFLICT',
      message: `${path} has no material.json`,
    });
  });
});
