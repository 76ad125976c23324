import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { rotateKey } from '../../src/operations/keys.ts';
import { startService } from '../../src/operations/serve.ts';
import { startModelServer } from '../serve/model-server.ts';
import { placeholder, startTinyModel, tinyProject } from './tiny-project.ts';

async function startTinyService(upstream: string, settings: Readonly<Record<string, string>> = {}) {
  const project = await tinyProject({
    [placeholder]: upstream,
    'port: 8377': 'port: 0',
    ...settings,
  });
  const failures: unknown[] = [];
  const notices: string[] = [];
  const service = await startService({
    configPath: project.configPath,
    environment: {},
    signal: new AbortController().signal,
    progress: () => undefined,
    onNotice: (text) => notices.push(text),
    onFailure: (error) => failures.push(error),
  });
  onTestFinished(() => service.stop());
  const classify = async (...inputs: readonly string[]) => {
    const response = await fetch(`${service.address}/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${project.apiKey}` },
      body: JSON.stringify({ inputs }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  return { ...project, service, classify, failures, notices };
}

it('marks under new keys as soon as they are read again, while requests are under way', async () => {
  const { service, classify, configPath } = await startTinyService(await startTinyModel());
  const first = await classify('aeiou');
  let running = true;
  const statuses: number[] = [];
  const load = (async () => {
    while (running) statuses.push((await classify('strength', 'rhythm')).status);
  })();
  await rotateKey({ configPath, environment: {}, tenant: 'example' });
  expect(await service.reload()).toEqual({ tenants: 1 });
  await pause(50);
  running = false;
  await load;
  expect(statuses.length).toBeGreaterThan(0);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect((await classify('aeiou')).body).not.toEqual(first.body);
});

it('goes on as before when what it reads again is unusable, and asks another model when there is one', async () => {
  const { service, classify, configPath } = await startTinyService(await startTinyModel());
  const config = readFileSync(configPath, 'utf8');
  writeFileSync(configPath, config.replace('\nserve:', '\nserves:'));
  await expect(service.reload()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect((await classify('aeiou')).status).toBe(200);
  const other = await startTinyModel((texts) => ({
    labels: ['vowels', 'consonants', 'others'],
    probabilities: texts.map(() => [0, 0, 1]),
  }));
  writeFileSync(configPath, config.replace(/upstream: \S+/, `upstream: ${other}`));
  await service.reload();
  const [row] = (await classify('aeiou')).body.probabilities;
  expect(row[2]).toBeGreaterThan(0.9);
});

it('seals no other watermark for an epoch that has answers under one', async () => {
  const { service, classify, directory, configPath } = await startTinyService(
    await startTinyModel(),
  );
  await classify('aeiou');
  await service.stop();
  const profile = join(directory, '.touchmark/profile.json');
  rmSync(profile);
  const again = () =>
    startService({
      configPath,
      environment: {},
      signal: new AbortController().signal,
      progress: () => undefined,
      onNotice: () => undefined,
      onFailure: () => undefined,
    });
  await expect(again()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: expect.stringContaining('keys rotate --all'),
  });
  await rotateKey({ configPath, environment: {}, tenant: 'example' });
  await (await again()).stop();
});

it('counts without saying who asked what', async () => {
  const { service, classify, apiKey } = await startTinyService(await startTinyModel(), {
    '# adminPort:': 'adminPort: 0',
  });
  await classify('a very private question');
  await fetch(`${service.address}/v2/models/%F0/a-private-path?key=${apiKey}`);
  const metrics = await (await fetch(`${service.admin}/metrics`)).text();
  expect(metrics).toMatch(/touchmark_request_seconds_count\{route="\/classify",status="200"\} 1/);
  expect(metrics).toMatch(/touchmark_log_entries 3/);
  for (const secret of ['private', apiKey, 'example']) expect(metrics).not.toContain(secret);
  expect((await fetch(`${service.admin}/health/ready`)).status).toBe(200);
  expect((await fetch(`${service.address}/metrics`)).status).toBe(401);
});

it('traces requests without saying who asked what', async () => {
  const collector = await startModelServer(() => ({}));
  const { service, classify, apiKey } = await startTinyService(await startTinyModel(), {
    '# traces:': `traces: ${collector.url}v1/traces`,
  });
  await classify('a very private question');
  await service.stop();
  const sent = collector.asked.map(({ body }) => body).join('\n');
  expect(sent).toContain('POST /classify');
  for (const secret of ['private', apiKey, 'example']) expect(sent).not.toContain(secret);
});

it('speaks to KServe clients in flight', async () => {
  const labels = ['yes', 'no'];
  const model = await startModelServer(({ method, url, body }) => {
    if (method === 'GET') {
      const outputs = [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }];
      return url.endsWith('ready')
        ? {}
        : { name: 'm', versions: ['3'], outputs, parameters: { labels } };
    }
    const texts: string[] = JSON.parse(body).inputs[0].data;
    const data = texts.flatMap(({ length }) => [1 / (1 + length), length / (1 + length)]);
    const shape = [texts.length, 2];
    return { model_name: 'm', outputs: [{ name: 'probabilities', datatype: 'FP32', shape, data }] };
  });
  const { service, apiKey, notices } = await startTinyService(`kserve:${model.url}v2/models/m`);
  expect(notices).toHaveLength(1);
  const response = await fetch(`${service.address}/v2/models/m/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({
      inputs: [{ name: 'anything', datatype: 'BYTES', shape: [1], data: ['word'] }],
    }),
  });
  const { outputs } = JSON.parse(await response.text());
  expect(model.asked.at(-1)?.body).toContain('"anything"');
  expect(outputs[0].data[0]).not.toBe(0.2);
  expect(outputs[0].data[0]).toBeLessThan(0.5);
});
