import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pathExists } from '../../src/store/project-files.ts';
import {
  RehearsalWork,
  readRehearsals,
  rehearsalPath,
  storeRehearsal,
} from '../../src/store/rehearsals.ts';
import { temporaryDirectory } from './directory.ts';

const id = 'rehearsal-0123456789abcdef';

it('keeps a rehearsal once, for its owner, and never another text under its name', async () => {
  const directory = join(temporaryDirectory(), 'rehearsals');
  expect(await readRehearsals(directory)).toEqual([]);
  await storeRehearsal(directory, id, 'one');
  await storeRehearsal(directory, id, 'one');
  await expect(storeRehearsal(directory, id, 'two')).rejects.toMatchObject({ code: 'USAGE' });
  writeFileSync(join(directory, 'notes.json'), 'no rehearsal');
  expect(await readRehearsals(directory)).toEqual([
    { path: rehearsalPath(directory, id), text: 'one' },
  ]);
  expect(statSync(rehearsalPath(directory, id)).mode & 0o777).toBe(0o600);
});

it('goes on with work, without the line that a crash cut short', async () => {
  const path = join(temporaryDirectory(), 'work', 'a.jsonl');
  const work = await RehearsalWork.open(path, 'first');
  await work.append('done');
  appendFileSync(path, 'cut sh');
  const again = await RehearsalWork.open(path, 'another first');
  expect([again.first, again.lines]).toEqual(['first', ['done']]);
  await again.append('more');
  expect(readFileSync(path, 'utf8')).toBe('first\ndone\nmore\n');
  await again.discard();
  expect(await pathExists(path)).toBe(false);
});

it('begins anew where a crash cut the first line short', async () => {
  const path = join(temporaryDirectory(), 'a.jsonl');
  writeFileSync(path, 'fir');
  const work = await RehearsalWork.open(path, 'first');
  expect([work.first, work.lines]).toEqual(['first', []]);
});
