import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WatermarkScene, watermarkScene } from '../operations/watermark-scene.ts';
import { nativeProfile } from '../watermark/text/random-text.ts';
import { run } from './command-line.ts';

const loader = createRequire(import.meta.url).resolve('tsx');
const main = join(import.meta.dirname, '../../src/cli/main.ts');

async function scene(changes: Parameters<typeof nativeProfile>[0] = {}): Promise<WatermarkScene> {
  const made = await watermarkScene();
  made.write('text.json', nativeProfile(changes));
  return made;
}

/** Starts the real command line with a stdin that the test writes to. */
function startFilter(words: string, cwd: string, nodeFlags: readonly string[] = []) {
  const given = [...nodeFlags, '--import', loader, main, 'watermark', ...words.split(' ')];
  const child = spawn(process.execPath, given, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function filter(words: string, cwd: string, input: string) {
  const child = startFilter(words, cwd);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
    pipeline(Readable.from([input]), child.stdin),
  ]);
  return { exitCode, stdout, stderr };
}

const key = '--profile text.json --tenant example';

describe('touchmark watermark', () => {
  it('filters lines: records to stdout, doubts to stderr, and exit code 2 for a bad line', async () => {
    const { directory } = await scene();
    const lines = '{"id":"a","tokens":[1,2,3,4],"promptLength":1}\n{"tokens":[1,2,3]}\nnonsense\n';
    const ended = await filter(`detect ${key}`, directory, lines);
    const records = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records).toMatchObject([
      { line: 1, id: 'a', scored: 2 },
      { line: 2, scored: 1 },
      { line: 3, error: { code: 'INPUT_INVALID' } },
    ]);
    expect(ended.stderr).toMatch(
      /^prompt: not checked for 1 of 2 texts\. The prompt is not known/m,
    );
    expect(ended.stderr).toMatch(/^1 of 3 lines could not be used/m);
    expect(ended.exitCode).toBe(2);
  });

  it('has nothing to do for an empty stream, but no result for all of none', async () => {
    const { directory } = await scene();
    expect(await filter(`detect ${key}`, directory, '')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(await filter(`detect ${key} --together`, directory, '\n')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('There was no line to read.'),
    });
  });

  it('reads a file, and gives one result together or by tenants', async () => {
    const made = await scene();
    made.write('texts.jsonl', '{"tokens":[1,2,3,4],"promptLength":0}\nx\n');
    const cwd = made.directory;
    const [together, attributed] = await Promise.all([
      run(`watermark detect ${key} --in texts.jsonl --together`.split(' '), { cwd }),
      run('watermark attribute --profile text.json --in texts.jsonl --accuse all'.split(' '), {
        cwd,
      }),
    ]);
    expect(JSON.parse(together.stdout)).toMatchObject({ texts: 1, scored: 2, failedLines: 1 });
    expect(together.stderr).toContain('line 2: The line is not valid JSON.');
    expect(JSON.parse(attributed.stdout)).toMatchObject({
      texts: 1,
      accusations: { tenants: [{ tenant: 'example', epoch: 'e1' }] },
    });
    expect([together.exitCode, attributed.exitCode]).toEqual([2, 2]);
  });

  it('takes a key from stdin, when the lines come from a file', async () => {
    const made = await scene({
      scheme: { name: 'gumbel' },
      prf: { name: 'vllm-philox', contextWidth: 4, keys: 'single' },
    });
    made.write('texts.jsonl', '{"tokens":[1,2,3,4],"promptLength":0}\n');
    const words = 'detect --profile text.json --key-file -';
    const secret = '{"stack":"vllm","key":"987654321"}';
    const ended = await filter(`${words} --in texts.jsonl`, made.directory, secret);
    expect(JSON.parse(ended.stdout)).toMatchObject({ scored: 4 });
    const refused = await filter(words, made.directory, secret);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(/both the key and the lines/);
    expect(refused.stderr).not.toContain('987654321');
  });

  it('prints a logit_bias', async () => {
    const made = await scene({
      scheme: { name: 'fixed-green-list', gamma: 0.5, delta: 2 },
      prf: { name: 'native', contextWidth: 0 },
    });
    const words = `watermark embed ${key} --logit-bias --limit 5`.split(' ');
    const { exitCode, stdout } = await run(words, { cwd: made.directory });
    expect(exitCode).toBe(0);
    expect(Object.values(JSON.parse(stdout))).toEqual([2, 2, 2, 2, 2]);
  });

  it.each([
    [`detect ${key} --epoch e4`, /has no epoch "e4"/],
    [`embed ${key} --logit-bias --limit many`, /The limit NaN is not a number of tokens/],
    [`detect ${key} --togther`, /Did you mean --together\?/],
  ])('ends %j with exit code 2 and the reason', async (words, reason) => {
    const { directory } = await scene();
    const ended = await run(['watermark', ...words.split(' ')], { cwd: directory });
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ended.stderr).toMatch(reason);
  });

  it('shows examples', async () => {
    const ended = await run(['watermark', 'detect', '--help'], { cwd: '/' });
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ended.stdout).toMatch(/Examples:\n(.|\n)*touchmark watermark detect/);
  });
});

describe('touchmark watermark in a pipe', () => {
  const line = '{"tokens":[1,2,3,4],"promptLength":1}\n';

  it('ends with exit code 130 when it is interrupted while it waits', async () => {
    const { directory } = await scene();
    const child = startFilter(`detect ${key}`, directory);
    const closed = once(child, 'close');
    const stderr = text(child.stderr);
    child.stdin.write(line);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(await stderr).toContain('Interrupted.');
  });

  it('ends quietly when nobody reads any more', async () => {
    const { directory } = await scene();
    const child = startFilter(`embed ${key}`, directory);
    const closed = once(child, 'close');
    const stderr = text(child.stderr);
    child.stdin.on('error', () => undefined);
    child.stdin.write('{"tokens":[1,2,3],"promptLength":1,"logits":[0]}\n');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.end('{"tokens":[1,2,3],"promptLength":1,"logits":[0]}\n'.repeat(20_000));
    expect(await closed).toEqual([0, null]);
    expect(await stderr).toBe('');
  });

  it('holds its memory over a hundred thousand lines', async () => {
    const { directory } = await scene();
    const lines = 100_000;
    const child = startFilter(`detect ${key}`, directory, ['--max-old-space-size=64']);
    const closed = once(child, 'close');
    const piece = line.repeat(1_000);
    const feeding = pipeline(Readable.from(Array.from({ length: 100 }, () => piece)), child.stdin);
    let records = 0;
    for await (const chunk of child.stdout) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('stdout gives bytes');
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) records++;
    }
    await feeding;
    expect(await closed).toEqual([0, null]);
    expect(records).toBe(lines);
  }, 180_000);
});
