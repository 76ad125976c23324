import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { checkClock, checkNode, examine } from '../../src/operations/doctor.ts';
import { placeholder, startTinyModel, type TinyProject, tinyProject } from './tiny-project.ts';

async function findings({ configPath }: TinyProject, environment = {}) {
  const { signal } = new AbortController();
  const found = await examine({ configPath, environment, signal });
  return new Map(found.map(({ check, ...rest }) => [check, rest]));
}

it('finds a working project well, also while a gateway holds its log', async () => {
  const project = await tinyProject({ [placeholder]: await startTinyModel() });
  const few = await findings(project);
  expect(few.get('questions')).toMatchObject({
    status: 'warn',
    detail: expect.stringMatching(/^0 in .*twin\.txt; the first start .* for good$/),
  });
  const questions = Array.from({ length: 1400 }, (_, index) => `question ${index}`);
  writeFileSync(join(project.directory, 'inputs/twin.txt'), questions.join('\n'));
  const before = await findings(project);
  expect([...before.values()].map(({ status }) => status)).toEqual(Array(9).fill('ok'));
  const log = await openServingLog(join(project.directory, '.touchmark/log'));
  const during = await findings(project);
  await log.close();
  expect(during.get('serving log lock')).toMatchObject({
    status: 'ok',
    detail: expect.stringContaining(`process ${process.pid}`),
  });
});

it('says what is wrong with a project, and what to do', async () => {
  const project = await tinyProject({ [placeholder]: 'http:http://127.0.0.1:9/classify' });
  const ring = join(project.directory, '.touchmark/keys/ring.json');
  chmodSync(ring, 0o644);
  const found = await findings(project);
  expect(found.get('key ring')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('mode 0644'),
    fix: expect.stringContaining(`chmod 600 ${ring}`),
  });
  expect(found.get('upstream')).toMatchObject({ status: 'fail', fix: expect.stringMatching(/\w/) });
});

it('stops at a configuration that cannot be read', async () => {
  const project = await tinyProject({ 'port: 8377': 'prot: 8377' });
  const found = await findings(project);
  expect([...found.keys()]).toEqual(['Node.js', 'tensors', 'configuration']);
  expect(found.get('configuration')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('did you mean port?'),
  });
});

it('sees a tenant without an epoch and a broken log', async () => {
  const project = await tinyProject({ [placeholder]: await startTinyModel() });
  const text = readFileSync(project.configPath, 'utf8');
  writeFileSync(project.configPath, text.replace('id: example', 'id: other'));
  const log = await openServingLog(join(project.directory, '.touchmark/log'));
  await log.close();
  writeFileSync(join(project.directory, '.touchmark/log/log.json'), '{}');
  const found = await findings(project);
  expect(found.get('key ring')).toMatchObject({ status: 'fail', detail: 'no epoch for other' });
  expect(found.get('serving log')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('log.json'),
  });
});

it.each([
  ['20.19.0', 'ok'],
  ['22.1.0', 'ok'],
  ['20.18.9', 'fail'],
  ['18.20.0', 'fail'],
])('judges Node.js %s: %s', (version, status) => {
  expect(checkNode(version).status).toBe(status);
});

it.each([
  [['2026-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'], 'fail'],
  [['2025-06-01T00:00:00.000Z'], 'ok'],
  [[], 'ok'],
])('judges a clock at July 2025 by epochs of %j: %s', (times, status) => {
  expect(checkClock(times, new Date('2025-07-01T00:00:00Z')).status).toBe(status);
});
