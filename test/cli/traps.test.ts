import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { storeTrapSet } from '../../src/operations/traps/stock-writer.ts';
import { openKeyRing } from '../../src/store/key-ring.ts';
import { tinyProject } from '../operations/tiny-project.ts';
import { regionSet } from '../operations/traps/scene.ts';
import { temporaryDirectory } from '../store/directory.ts';
import { run, startCommand } from './command-line.ts';

/** A project with one region set of two lots. */
async function stocked() {
  const { directory } = await tinyProject();
  const keyRing = await openKeyRing({ source: `file:${directory}/.touchmark/keys/ring.json` });
  const { seal } = await storeTrapSet({ directory }, keyRing, regionSet([2, 3]), new Date());
  return { directory, set: seal.id, file: join(directory, 'traps', `${seal.id}.json`) };
}

it('rotates a fresh project: exit code 0, nothing built and why, and nothing at a second call', async () => {
  const cwd = temporaryDirectory();
  expect((await run(['init', '--yes', '--directory', 'made'], { cwd })).exitCode).toBe(0);
  const words = ['traps', 'rotate', '--config', 'made/touchmark.yaml', '--json'];
  const first = await run(words, { cwd });
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(first.stdout)).toMatchObject({ status: 'rotated', built: 0, retired: 0 });
  expect(JSON.parse(first.stdout).reasons).toHaveLength(2);
  const second = await run(words, { cwd });
  expect(second.exitCode).toBe(0);
  expect(JSON.parse(second.stdout)).toMatchObject({ status: 'already-rotated', built: 0 });
  expect(readFileSync(join(cwd, 'made/traps/.gitignore'), 'utf8')).toBe('*.json\n');
});

it('tells a damaged file once, with exit code 6, and verifies with exit code 5 before', async () => {
  const { directory: cwd, file } = await stocked();
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -9));
  const verified = await run(['traps', 'verify'], { cwd });
  expect(verified.exitCode).toBe(5);
  expect(verified.stderr).toContain(`${file} is not complete JSON`);
  const rotated = await run(['traps', 'rotate', '--json'], { cwd });
  expect(rotated.exitCode).toBe(6);
  expect(rotated.stderr).toContain(`${file} is not complete JSON`);
  expect(JSON.parse(rotated.stdout)).toMatchObject({ status: 'rotated', retired: 2 });
  expect(await run(['traps', 'verify'], { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
});

it('lists sets without their traps, and reveals none without being told to go ahead', async () => {
  const { directory: cwd, set } = await stocked();
  const [listed, unasked] = await Promise.all([
    run(['traps', 'list'], { cwd }),
    run(['traps', 'list', '--reveal', set], { cwd }),
  ]);
  expect(listed.stdout).toMatch(new RegExp(`${set} +- +2/0/0 +5 +1.50`));
  expect(unasked).toMatchObject({ exitCode: 2, stdout: '' });
  expect(unasked.stderr).toContain('Nobody is there to ask');
});

it('schedules in one process at a time, which SIGTERM ends with exit code 0', async () => {
  const { directory: cwd } = await tinyProject();
  const words = ['traps', 'schedule', '--timezone', 'Europe/Berlin', '--json'];
  const child = startCommand(words, { cwd });
  let [said, told] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  while (!told.includes('the next rotation is due')) {
    const [text] = await once(child.stderr, 'data');
    told += String(text);
  }
  const second = await run(words, { cwd });
  expect(second.exitCode).toBe(6);
  expect(second.stderr).toContain(`process ${child.pid}`);
  child.kill('SIGTERM');
  expect((await once(child, 'close'))[0]).toBe(0);
  expect(JSON.parse(said)).toMatchObject({ status: 'rotated', timezone: 'Europe/Berlin' });
});

it('explains itself with examples, and refuses what it does not know', async () => {
  const { directory: cwd } = await tinyProject();
  const [help, zone, shipped] = await Promise.all([
    run(['traps', 'rotate', '--help'], { cwd }),
    run(['traps', 'schedule', '--timezone', 'Europe/Atlantis'], { cwd }),
    run(['traps', 'verify', 'builtin:nothing'], { cwd }),
  ]);
  expect(help).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Examples:') });
  expect(zone).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Europe/Atlantis') });
  expect(shipped.exitCode).toBe(2);
});
