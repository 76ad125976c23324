import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tinyProject } from '../operations/tiny-project.ts';
import { temporaryDirectory } from '../store/directory.ts';
import { run } from './command-line.ts';

describe('touchmark', () => {
  it('makes a project once, and shows no secret', async () => {
    const cwd = temporaryDirectory();
    const words = ['init', '--yes', '--directory', 'here', '--json'];
    const first = await run(words, { cwd });
    expect(first.exitCode).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ directory: join(cwd, 'here') });
    const apiKey = readFileSync(join(cwd, 'here/.touchmark/api-keys/example.key'), 'utf8').trim();
    const ring = readFileSync(join(cwd, 'here/.touchmark/keys/ring.json'), 'utf8');
    for (const secret of [apiKey, JSON.parse(ring).root.secret]) {
      expect(first.stdout + first.stderr).not.toContain(secret);
    }
    const second = await run(words, { cwd });
    expect(second).toMatchObject({ exitCode: 2, stdout: '' });
    expect(second.stderr).toMatch(
      /here\/touchmark\.yaml exists already; nothing was made\.\n {2}hint/,
    );
  });

  it('asks before it makes anything, and refuses where nobody can answer', async () => {
    const ended = await run(['init'], { cwd: temporaryDirectory() });
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ended.stderr).toContain('--yes');
  });

  it.each([
    [['keys', 'list', '--jsn'], /Unknown argument: --jsn\n {2}hint: Did you mean --json\?/],
    [['audit', '--tenant', 'a'], /Missing required argument: out/],
    [['audit', '--tenant', 'a', '--out', 'o'], /Give either --suspect or --batch/],
    [
      'audit --suspect http:http://h/c --tenant a --out o --suspect-bearer-env NOT_SET'.split(' '),
      /variable NOT_SET is not set/,
    ],
    [['serve', '--port', 'http'], /--port: serve\.port is NaN/],
    [['config', 'check', '--config', 'nowhere.yaml'], /no configuration file nowhere\.yaml/],
  ])('ends %j with exit code 2, the reason on stderr and nothing on stdout', async (words, reason) => {
    const { directory } = await tinyProject();
    const ended = await run(words, { cwd: directory });
    expect(ended.stderr).toMatch(reason);
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('names file and line of a wrong setting, in the file that TOUCHMARK_CONFIG names', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'other.yaml'), 'schema: touchmark/config@1\nmodle: {}\n');
    const environment = { TOUCHMARK_CONFIG: 'other.yaml' };
    const { exitCode, stderr } = await run(['config', 'check'], { cwd, environment });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('other.yaml:2: modle is no known setting; did you mean model?');
  });

  it('ends with exit code 6 on an edited key ring', async () => {
    const { directory } = await tinyProject();
    const path = join(directory, '.touchmark/keys/ring.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"e1"', '"e2"'));
    const ended = await run(['keys', 'list'], { cwd: directory });
    expect(ended).toMatchObject({ exitCode: 6, stdout: '' });
    expect(ended.stderr).toContain('was edited');
  });

  it('lets doctor print what it found and end with exit code 2 when something fails', async () => {
    const { directory } = await tinyProject();
    const { exitCode, stdout } = await run(['doctor', '--json'], { cwd: directory });
    const found: { check: string; status: string }[] = JSON.parse(stdout);
    expect(exitCode).toBe(2);
    expect(found.filter(({ status }) => status === 'fail').map(({ check }) => check)).toEqual([
      'upstream',
    ]);
  });

  it('prints help with examples to stdout', async () => {
    const { exitCode, stdout, stderr } = await run(['keys', 'export', '--help'], { cwd: '/' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/Examples:\n {2}touchmark keys export --/);
  });
});
