import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tinyProject } from '../operations/tiny-project.ts';
import { run } from './command-line.ts';

const words = ['keys', 'export', '--tenant', 'example', '--epoch', 'e1', '--format', 'vllm'];

it('puts a server key into a private file, and none of it on the terminal', async () => {
  const { directory } = await tinyProject();
  const ended = await run([...words, '--out', 'vllm.json'], { cwd: directory });
  expect(ended.exitCode).toBe(0);
  const path = join(directory, 'vllm.json');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const { key } = JSON.parse(readFileSync(path, 'utf8')).key;
  expect(ended.stdout + ended.stderr).not.toContain(key);
  expect(ended.stderr).toContain('Philox is no cryptographic function');
});

it('prints a server key on stdout when asked to, and warns on stderr', async () => {
  const { directory } = await tinyProject();
  const ended = await run([...words, '--out', '-'], { cwd: directory });
  expect(ended.exitCode).toBe(0);
  const document = JSON.parse(ended.stdout);
  expect(document.configuration).toMatchObject({ algorithm: 'gumbel', prf: 'philox' });
  expect(ended.stderr).toContain('stdout carries a secret');
  expect(ended.stderr).not.toContain(document.key.key);
});

it('does not export without being told where to', async () => {
  const { directory } = await tinyProject();
  const ended = await run(words, { cwd: directory });
  expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
  expect(ended.stderr).toContain('out');
});

it('exports all epochs in use for a gateway, and takes exactly one way to name tenants', async () => {
  const { directory } = await tinyProject();
  const keys = (...given: string[]) => run(['keys', ...given], { cwd: directory });
  const ended = await keys('export', '--all', '--out', 'bundle.jsonl');
  expect(ended).toMatchObject({ exitCode: 0, stdout: 'bundle.jsonl  1 tenants\n' });
  const path = join(directory, 'bundle.jsonl');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const [, line = ''] = readFileSync(path, 'utf8').split('\n');
  expect(JSON.parse(line)).toMatchObject({ tenant: 'example', epoch: 'e1' });
  for (const [given, message] of [
    [['export', '--all', '--tenant', 'example', '--out', 'b'], /Give one of --tenant or --all/],
    [['generate', '--tenant', 'a', '--out', 'b'], /--out goes with --tenants/],
  ] as const) {
    const refused = await keys(...given);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(message);
  }
});
