import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../../src/models/adapters/remote.ts';
import type { RequestGate } from '../../../src/models/adapters/transport.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'touchmark-exec-'));
});
afterAll(() => rm(directory, { recursive: true }));

const signal = new AbortController().signal;
let programs = 0;

/** Returns a suspect that runs JavaScript with `lines`, what was asked, and `say`, which answers. */
async function program(body: string, options: Partial<RemoteOptions> = {}) {
  programs += 1;
  const path = join(directory, `suspect ${programs}.mjs`);
  await writeFile(
    path,
    `import { readFileSync } from 'node:fs';
     const lines = readFileSync(0, 'utf8').trim().split('\\n').map((line) => JSON.parse(line));
     const say = (value) => console.log(typeof value === 'string' ? value : JSON.stringify(value));
     ${body}`,
  );
  return openClassifier(
    { kind: 'exec', command: [process.execPath, path, 'an argument'] },
    { labels: ['en', 'no', 'de'], ...options },
  );
}

const labelAll = `for (const { id } of lines) say({ id, label: 'eng' });`;

describe('a program', () => {
  test('is asked batch by batch and may answer in any order', async () => {
    const classifier = await program(
      `for (const { id, input } of lines.reverse()) say({ id, label: input + lines.length });`,
      { batchSize: 2 },
    );
    expect(await classifier.classify(['a', 'b\n', 'ç'], { signal })).toEqual([
      { answer: { label: 'a2' } },
      { answer: { label: 'b 2' } },
      { answer: { label: 'ç1' } },
    ]);
    expect(classifier.counts()).toEqual({
      requests: 2,
      retries: 0,
      outside: { answers: 3, mass: 0 },
    });
  });

  test('is also a text, split without a shell', async () => {
    const path = join(directory, 'plain.mjs');
    await writeFile(path, `console.log(JSON.stringify({ id: '0', label: process.argv[2] }))`);
    const classifier = openClassifier(`exec:"${process.execPath}" '${path}' $HOME;ls`, {
      labels: ['en', 'no'],
    });
    expect(await classifier.classify(['x'], { signal })).toEqual([
      { answer: { label: '$HOME;ls' } },
    ]);
  });

  test('gives probabilities by name, by order, or says why it has none', async () => {
    const named = await program(
      `for (const { id } of lines) say({ id, probabilities: { nob: 0.25, eng: 0.75 }, label: 'en' });`,
    );
    expect(await named.describe({ signal })).toMatchObject({ gives: ['labels', 'probabilities'] });
    expect(await named.classify(['a'], { signal })).toEqual([
      { answer: { label: 'en', probabilities: [0.75, 0.25, 0] } },
    ]);
    const ordered = await program(`
      say({ id: '1', missing: 'unsupported' });
      if (lines.length > 2) say({ id: '2', missing: 'refused' });
      say({ id: '0', probabilities: [0.5, 0.25, 0.25], labels: ['de', 'en', 'no'] });`);
    expect(await ordered.classify(['a', 'b', 'c'], { signal })).toEqual([
      { answer: { label: 'de', probabilities: [0.25, 0.25, 0.5] } },
      { missing: 'unsupported' },
      { missing: 'refused' },
    ]);
  });

  test('gets tensors as nested numbers', async () => {
    const classifier = await program(`say({ id: '0', label: JSON.stringify(lines[0].input) });`);
    const square = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 0.5) };
    expect(await classifier.classify([square], { signal })).toEqual([
      { answer: { label: '[[1,2],[3,0.5]]' } },
    ]);
  });

  test('is asked when the gate says so, which hears what became of it', async () => {
    const noted: unknown[] = [];
    const gate: RequestGate = {
      ready: async () => void noted.push('ready'),
      note: ({ succeeded, attempt }) => void noted.push({ succeeded, attempt }),
    };
    const classifier = await program(`if (lines[0].input !== 'b') ${labelAll}`, {
      batchSize: 1,
      gate,
    });
    await expect(classifier.classify(['a', 'b', 'c'], { signal })).rejects.toThrow('has no line');
    expect(noted).toEqual([
      ...['ready', { succeeded: true, attempt: 1 }],
      ...['ready', { succeeded: false, attempt: 1 }],
    ]);
  });

  test('gets the environment without anything of ours', async () => {
    const classifier = await program(
      `say({ id: '0', label: Object.keys(process.env).filter((name) => /OURS|MARK|THEIRS/i.test(name)).join() });`,
      { environment: { TOUCHMARK_PASSPHRASE: 'x', Touchmark_Ours: 'x', THEIRS: 'x' } },
    );
    expect(await classifier.classify(['a'], { signal })).toEqual([{ answer: { label: 'THEIRS' } }]);
  });
});

describe('a program that misbehaves', () => {
  test.each([
    [
      'exits',
      `console.error('no \\u001b[31mmodel'); process.exit(3)`,
      'SUSPECT_UNREACHABLE',
      /ended with exit code 3: no \[31mmodel$/,
    ],
    [
      'dies',
      `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 10)`,
      'SUSPECT_UNREACHABLE',
      /was ended by SIGTERM$/,
    ],
    [
      'writes no JSON',
      `say('hello <b>')`,
      'SUSPECT_ANSWER_INVALID',
      /has a line that is no JSON: hello <b>$/,
    ],
    [
      'writes other JSON',
      `say({ id: 0, label: 'en' })`,
      'SUSPECT_ANSWER_INVALID',
      /does not fit the protocol \(id: /,
    ],
    ['is silent', ``, 'SUSPECT_ANSWER_INVALID', /has no line for "0" of 2 inputs$/],
    ['answers twice', `${labelAll} ${labelAll}`, 'SUSPECT_ANSWER_INVALID', /answers "0" twice$/],
    [
      'answers more',
      `${labelAll} say({ id: '2', label: 'en' })`,
      'SUSPECT_ANSWER_INVALID',
      /holds 3 lines for 2 inputs$/,
    ],
    [
      'answers by halves',
      `say({ id: '0', label: 'en' }); say({ id: '1' })`,
      'SUSPECT_ANSWER_INVALID',
      /has other parts for "1" than for the rest of its batch$/,
    ],
    [
      'floods a line',
      `process.stdout.write('x'.repeat(3e6)); setInterval(() => {}, 10)`,
      'SUSPECT_ANSWER_INVALID',
      /wrote a line of more than 1048576 bytes$/,
    ],
    [
      'floods lines',
      `const flood = () => process.stdout.write('{}\\n'.repeat(1e5), flood); flood()`,
      'SUSPECT_ANSWER_INVALID',
      /wrote more than 2000000 bytes$/,
    ],
    [
      'hangs',
      `console.error('thinking'); setInterval(() => {}, 10)`,
      'SUSPECT_UNREACHABLE',
      /took longer than 0\.7 s: thinking$/,
    ],
  ])('%s', async (_, body, code, message) => {
    const classifier = await program(body, {
      responseLimitBytes: 2e6,
      timeoutMilliseconds: message.source.includes('took') ? 700 : 20_000,
    });
    await expect(classifier.classify(['a', 'b'], { signal })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/\w/),
      exitCode: 3,
    });
  });

  test('leaves a child behind that holds its output open', async () => {
    const classifier = await program(
      `const { spawn } = await import('node:child_process');
       spawn('sleep', ['4'], { stdio: 'inherit', detached: true }).unref();
       ${labelAll}`,
      { timeoutMilliseconds: 1000 },
    );
    const begun = performance.now();
    await expect(classifier.classify(['a'], { signal })).rejects.toThrow('took longer than 1 s');
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  test('is not there', async () => {
    const classifier = openClassifier('exec:/no/such/program --token hidden', {
      labels: ['a', 'b'],
    });
    await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      message: 'the program /no/such/program --token … could not be run (ENOENT)',
    });
  });

  test('does not read what it is asked', async () => {
    const path = join(directory, 'deaf.mjs');
    await writeFile(path, `process.stdin.destroy(); console.log('{"id":"0","label":"en"}')`);
    const classifier = openClassifier(
      { kind: 'exec', command: [process.execPath, path] },
      { labels: ['en', 'no'] },
    );
    const large = 'x'.repeat(4e6);
    expect(await classifier.classify([large], { signal })).toEqual([{ answer: { label: 'en' } }]);
  });
});

test('an abort kills the program and its children', async () => {
  const pids = join(directory, 'pids');
  const classifier = await program(`
    const { spawn } = await import('node:child_process');
    const { writeFileSync } = await import('node:fs');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid);
    setInterval(() => {}, 1000);`);
  const controller = new AbortController();
  const asked = classifier.classify(['a'], { signal: controller.signal });
  const failed = expect(asked).rejects.toBe('enough');
  let started: number[] = [];
  while (started.length < 2) {
    await pause(20);
    started = (await readFile(pids, 'utf8').catch(() => '')).split(' ').filter(Boolean).map(Number);
  }
  controller.abort('enough');
  await failed;
  await expect.poll(async () => Promise.all(started.map(alive))).toEqual([false, false]);
});

/** A killed process whose parent has not noticed yet is a zombie, and no longer runs. */
async function alive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/\) Z /.test(status);
}
