import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ServedText } from '../../src/contracts.ts';
import { readServedTexts } from '../../src/ledger/read-log.ts';
import type { KneserNeyModel } from '../../src/models/language/kneser-ney.ts';
import { examine } from '../../src/operations/doctor.ts';
import { startService } from '../../src/operations/serve.ts';
import { startLanguageServer } from '../serve/language-server.ts';
import { readAddresses, tokenizer, trainOn } from '../serve/openai-scene.ts';
import { placeholder, tinyProject } from './tiny-project.ts';

let model: KneserNeyModel;
beforeAll(() => {
  model = trainOn(readAddresses(0, 12));
});

const signal = new AbortController().signal;

async function startTextService(settings: Readonly<Record<string, string>> = {}) {
  const server = await startLanguageServer({ model, tokenizer });
  const project = await tinyProject({
    [placeholder]: `openai:${server.origin}/v1`,
    'port: 8377': 'port: 0',
    'gpt-tokenizer:o200k_base': settings[tokenizer.name] ?? tokenizer.name,
    ...settings,
  });
  const questions = Array.from({ length: 40 }, (_, index) => `Fellow citizens, in year ${index}`);
  writeFileSync(join(project.directory, 'inputs', 'twin.txt'), questions.join('\n'));
  const notices: string[] = [];
  const service = await startService({
    configPath: project.configPath,
    environment: {},
    signal,
    progress: () => undefined,
    onNotice: (text) => notices.push(text),
    onFailure: () => undefined,
  });
  onTestFinished(() => service.stop());
  const client = new OpenAI({ apiKey: project.apiKey, baseURL: `${service.address}/v1` });
  const texts = async () => {
    const found: ServedText[] = [];
    const selection = { tenant: 'example' };
    for await (const text of readServedTexts(
      join(project.directory, '.touchmark/log'),
      selection,
    )) {
      found.push(text);
    }
    return found;
  };
  const profile = JSON.parse(
    readFileSync(join(project.directory, '.touchmark', 'text-profile.json'), 'utf8'),
  );
  return { ...project, server, service, client, notices, texts, profile };
}

const ask = { model: 'addresses', prompt: 'Fellow citizens', max_tokens: 20 } as const;

describe('serving a language model', () => {
  it('chooses a mark from unmarked answers at the first start, and biases by it', async () => {
    const { client, texts, profile, notices, configPath } = await startTextService();
    expect(profile.scheme).toMatchObject({ name: 'biased-list' });
    expect(profile.scheme.tokens.length).toBeLessThanOrEqual(300);
    expect(notices).toEqual([expect.stringContaining('unmarked tokens')]);
    const { choices } = await client.completions.create(ask);
    expect(await texts()).toMatchObject([
      { texts: [choices[0]?.text], marks: { text: 'logit-bias' }, tenant: 'example', epoch: 'e1' },
    ]);
    const findings = await examine({ configPath, environment: {}, signal });
    expect(findings.find(({ check }) => check === 'upstream')).toMatchObject({
      status: 'ok',
      detail: `a language model, tokenizer ${tokenizer.name}, watermark sealed`,
    });
  });

  it("refuses a tokenizer that is not the served model's", async () => {
    const wrong = { [tokenizer.name]: 'gpt-tokenizer:cl100k_base' };
    await expect(startTextService(wrong)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('does not do as a logit_bias'),
    });
  });

  it('chooses among drafts where the configuration says so', async () => {
    const { client, texts, profile } = await startTextService({
      'mark: logit-bias': 'mark: drafts',
      'drafts: 4': 'drafts: 3',
    });
    expect(profile.scheme).toMatchObject({ name: 'biased-list' });
    await client.completions.create(ask);
    expect(await texts()).toMatchObject([{ marks: { text: 'drafts', drafts: 3 } }]);
  });
});
