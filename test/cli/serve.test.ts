import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { placeholder, startTinyModel, tinyProject } from '../operations/tiny-project.ts';
import { run, startCommand } from './command-line.ts';

it('serves until SIGTERM, and leaves a log that verifies', async () => {
  const { directory, apiKey } = await tinyProject({ [placeholder]: await startTinyModel() });
  const child = startCommand(['serve', '--port', '0', '--json'], { cwd: directory });
  const stderr = text(child.stderr);
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  const ready = JSON.parse(String(line));
  expect(ready).toMatchObject({ model: 'my-model', labels: 3, tenants: 1 });

  const response = await fetch(`${ready.address}/classify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ inputs: ['aeiou', 'strength', 'rhythm'] }),
  });
  expect(response.status).toBe(200);
  await response.text();

  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(await stderr).toMatch(/holds 0 questions.*\nstopped\n$/);
  const verified = await run(['log', 'verify', '--json'], { cwd: directory });
  expect(verified.exitCode).toBe(0);
  expect(JSON.parse(verified.stdout)).toMatchObject({ valid: true, tenants: { example: 3 } });
});

it('ends with exit code 3 when the model does not answer as it must', async () => {
  const labelsOnly = await startTinyModel(() => ({ answers: ['vowels'] }));
  const { directory } = await tinyProject({ [placeholder]: labelsOnly });
  const ended = await run(['serve'], { cwd: directory });
  expect(ended).toMatchObject({ exitCode: 3, stdout: '' });
  expect(ended.stderr).toContain('gives no probabilities');
});

it('ends with exit code 130 when it is interrupted before it serves', async () => {
  let interrupt = (): unknown => undefined;
  const silent = await startTinyModel(() => {
    interrupt();
    return new Promise(() => undefined);
  });
  const { directory } = await tinyProject({ [placeholder]: silent });
  const child = startCommand(['serve'], { cwd: directory });
  interrupt = () => child.kill('SIGINT');
  const stderr = text(child.stderr);
  expect(await once(child, 'close')).toEqual([130, null]);
  expect(await stderr).toContain('Interrupted');
});
