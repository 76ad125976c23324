import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSuspectFile } from '../../../src/config/suspect-files.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../../src/models/adapters/remote.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'touchmark-replay-'));
});
afterAll(() => rm(directory, { recursive: true }));

const signal = new AbortController().signal;
const record = (text: string) => writeFile(join(directory, 'answers.jsonl'), text);
const open = (options: Partial<RemoteOptions> = {}) =>
  openClassifier(`replay:${directory}`, {
    labels: ['en', 'no'],
    readFile: readSuspectFile,
    replayIds: (input) => (typeof input === 'string' ? `probe/${input}` : undefined),
    ...options,
  });
const english = { answer: { label: 'en', probabilities: [0.75, 0.25] } };
const foreign = { answer: { label: 'fr' } };
const lines = (...values: readonly unknown[]) =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

describe('a recorded run', () => {
  test('answers as it did, in the old form of lines and in the chained one', async () => {
    await record(
      lines(
        { id: 'probe/a', outcome: english, milliseconds: 3 },
        { sequence: 1, hash: 'ab', payload: { id: 'probe/b', at: 'now', outcome: foreign } },
        { sequence: 2, payload: { id: 'probe/c', outcome: { missing: 'refused' } } },
      ),
    );
    const classifier = open();
    expect(await classifier.describe({ signal })).toEqual({
      name: `${directory}/answers.jsonl`,
      labels: ['en', 'no'],
      gives: ['labels', 'probabilities'],
    });
    expect(await classifier.classify(['c', 'a', 'b', 'a'], { signal })).toEqual([
      { missing: 'refused' },
      english,
      foreign,
      english,
    ]);
    expect(classifier.counts()).toEqual({
      requests: 1,
      retries: 0,
      outside: { answers: 1, mass: 0 },
    });
    const labels = open({ labelsOnly: true });
    expect(await labels.describe({ signal })).toMatchObject({ gives: ['labels'] });
    expect(await labels.classify(['a'], { signal })).toEqual([{ answer: { label: 'en' } }]);
  });

  test('is read for what is whole, and invents nothing', async () => {
    const whole = lines({ id: 'probe/a', outcome: foreign }, { id: 'probe/b', outcome: foreign });
    await record(whole.slice(0, -3));
    const classifier = open();
    expect(await classifier.describe({ signal })).toMatchObject({ gives: ['labels'] });
    expect(await classifier.classify(['a'], { signal })).toEqual([foreign]);
    await expect(classifier.classify(['a', 'b'], { signal })).rejects.toMatchObject({
      code: 'RUN_INCOMPLETE',
      exitCode: 4,
    });
    const tensor = { shape: [1], data: Float32Array.of(1) };
    await expect(classifier.classify([tensor], { signal })).rejects.toThrow('has no answer');
  });

  test.each([
    ['no JSON', 'x\n', /has no recorded answer in line 1$/],
    ['no outcome', '{"id":"a"}\n', /has no recorded answer in line 1$/],
    [
      'other labels',
      lines({ id: 'a', outcome: { answer: { label: 'en', probabilities: [1] } } }),
      /has not 2 probabilities in line 1$/,
    ],
    [
      'no probabilities',
      lines({ id: 'a', outcome: { answer: { label: 'en', probabilities: [2, -1] } } }),
      /has no recorded answer in line 1$/,
    ],
  ])('with %s is refused', async (_, text, message) => {
    await record(text);
    await expect(open().describe({ signal })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('needs somebody who knows the questions', async () => {
    await record(lines({ id: 'probe/a', outcome: foreign }));
    const classifier = openClassifier(`replay:${directory}/answers.jsonl`, {
      labels: ['en', 'no'],
      readFile: readSuspectFile,
    });
    await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('holds no questions'),
    });
  });
});
