import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eraseLog, exportLog, verifyLog } from '../../src/operations/log.ts';
import { type Service, startService } from '../../src/operations/serve.ts';
import { placeholder, startTinyModel, type TinyProject, tinyProject } from './tiny-project.ts';

async function start(project: TinyProject, signal?: AbortSignal) {
  const notices: string[] = [];
  const service = await startService({
    configPath: project.configPath,
    environment: {},
    flags: [{ path: ['serve', 'port'], value: 0, from: '--port' }],
    signal: signal ?? new AbortController().signal,
    progress: () => undefined,
    onNotice: (text) => notices.push(text),
    onFailure: (error) => notices.push(String(error)),
  });
  onTestFinished(() => service.stop());
  return { service, notices };
}

async function ask({ address }: Service, apiKey: string, inputs: string[]) {
  const response = await fetch(`${address}/classify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ inputs }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe('startService', () => {
  it('seals a profile, answers tenants, and logs what can be verified, exported and erased', async () => {
    const project = await tinyProject({ [placeholder]: await startTinyModel() });
    const { configPath, directory, apiKey } = project;
    writeFileSync(join(directory, 'inputs/twin.txt'), 'one\ntwo\nthree\nfour\n');
    const { service, notices } = await start(project);
    expect(service).toMatchObject({ model: 'my-model', labels: 3, tenants: 1 });
    expect(notices).toEqual([expect.stringContaining('holds 4 questions')]);
    const { status, body } = await ask(service, apiKey, ['aeiou', 'strength']);
    expect(status).toBe(200);
    expect(body.probabilities[0]).toHaveLength(3);
    expect((await ask(service, 'tmk_stranger', ['a'])).status).toBe(401);
    await service.stop();

    expect(await verifyLog({ configPath })).toMatchObject({
      valid: true,
      records: 2,
      tenants: { example: 2 },
    });
    const out = join(directory, 'example.jsonl');
    expect(await exportLog({ configPath, tenant: 'example', out })).toEqual({
      file: out,
      records: 2,
    });
    const records = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ input }) => input)).toEqual(['aeiou', 'strength']);
    expect(records[0].served).toEqual(body.probabilities[0]);
    expect(await eraseLog({ configPath, tenant: 'example' })).toEqual({
      tenant: 'example',
      erased: 2,
      epoch: 'e2',
    });
    expect(await verifyLog({ configPath })).toMatchObject({ valid: true, tenants: {} });
    const rest = { configPath, tenant: 'example', out: join(directory, 'rest.jsonl') };
    await expect(exportLog(rest)).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  });

  it('keeps its sealed profile, and refuses another model under it', async () => {
    const project = await tinyProject({ [placeholder]: await startTinyModel() });
    const profilePath = join(project.directory, '.touchmark/profile.json');
    await (await start(project)).service.stop();
    const sealed = readFileSync(profilePath, 'utf8');
    const { service, notices } = await start(project);
    await service.stop();
    expect(readFileSync(profilePath, 'utf8')).toBe(sealed);
    expect(notices).toEqual([]);
    writeFileSync(profilePath, sealed.replace('"others"', '"rest"'));
    await expect(start(project)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('label 2 being "rest"; the model has "others"'),
    });
  });

  it('lets one gateway have the log, and the next one after it', async () => {
    const project = await tinyProject({ [placeholder]: await startTinyModel() });
    const { service } = await start(project);
    await expect(start(project)).rejects.toMatchObject({ code: 'STORE_LOCKED', exitCode: 6 });
    await expect(
      eraseLog({ configPath: project.configPath, tenant: 'example' }),
    ).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await service.stop();
    await (await start(project)).service.stop();
  });

  it.each([
    ['labels only', () => ({ answers: ['vowels'] }), 'UPSTREAM_ANSWER_INVALID', /no probabilities/],
    [
      'probabilities without labels',
      () => ({ probabilities: [[0.5, 0.5]] }),
      'UPSTREAM_ANSWER_INVALID',
      /labels/,
    ],
    [
      'a distribution that is none',
      () => ({ labels: ['a', 'b'], probabilities: [[2, 0]] }),
      'UPSTREAM_ANSWER_INVALID',
      /2/,
    ],
  ])('refuses an upstream that gives %s, and leaves nothing locked', async (_, reply, code, message) => {
    const project = await tinyProject({ [placeholder]: await startTinyModel(reply) });
    const failure = { code, message: expect.stringMatching(message) };
    await expect(start(project)).rejects.toMatchObject(failure);
    await expect(start(project)).rejects.toMatchObject(failure);
  });

  it('refuses a configured label that the upstream does not have', async () => {
    const project = await tinyProject({
      [placeholder]: await startTinyModel(),
      'input: text': 'input: text\n  labels: [vowels, umlauts]',
    });
    await expect(start(project)).rejects.toThrow(/model\.labels has "umlauts"/);
  });

  it('refuses a tenant without an epoch, and a project without tenants', async () => {
    const project = await tinyProject();
    const text = readFileSync(project.configPath, 'utf8');
    writeFileSync(project.configPath, text.replace('id: example', 'id: other'));
    await expect(start(project)).rejects.toThrow(/"other" has no epoch in .*ring\.json/);
    writeFileSync(project.configPath, text.replace(/tenants:\n.*\n.*\n/, 'tenants: []\n'));
    await expect(start(project)).rejects.toThrow(/has no tenants/);
  });

  it('stops starting when it is interrupted', async () => {
    const project = await tinyProject({ [placeholder]: await startTinyModel() });
    await expect(start(project, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await (await start(project)).service.stop();
  });
});

it('reports a log that was changed, as a finding and not as an exception', async () => {
  const project = await tinyProject({ [placeholder]: await startTinyModel() });
  const { service } = await start(project);
  await ask(service, project.apiKey, ['aeiou']);
  await service.stop();
  const segment = join(project.directory, '.touchmark/log/segments/00000001.jsonl');
  writeFileSync(segment, readFileSync(segment, 'utf8').replace('"at":"2', '"at":"1'));
  const { valid, problems } = await verifyLog({ configPath: project.configPath });
  expect(valid).toBe(false);
  expect(problems.join('\n')).toContain('00000001.jsonl');
});
