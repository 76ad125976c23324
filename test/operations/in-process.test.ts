import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Input } from '../../src/contracts.ts';
import { readAnswers } from '../../src/ledger/read-log.ts';
import { type OpenTouchmarkOptions, openTouchmark } from '../../src/operations/in-process.ts';
import { exportBundle } from '../../src/operations/keys-bundle.ts';
import { verifyLog } from '../../src/operations/log.ts';
import type { RequestWithHeaders, Touchmark } from '../../src/serve/in-process/touchmark.ts';
import { collect } from '../ledger/records.ts';
import { tinyTokenizer, tinyTokenizerConfig } from '../models/tokenizers/tiny-tokenizer.ts';
import { type TinyProject, tinyProject } from './tiny-project.ts';

const withLabels = { 'input: text': 'input: text\n  labels: [vowels, consonants]' };

function vowels(input: Input): number[] {
  const share = (1 + (String(input).match(/[aeiou]/g) ?? []).length) / (2 + String(input).length);
  return [share, 1 - share];
}
const classify = (inputs: readonly Input[]) => inputs.map(vowels);

async function open(
  { configPath }: TinyProject,
  options: Partial<OpenTouchmarkOptions<RequestWithHeaders>> = {},
): Promise<Touchmark<RequestWithHeaders>> {
  const touchmark = await openTouchmark({ config: configPath, environment: {}, ...options });
  onTestFinished(() => touchmark.close());
  return touchmark;
}

function serve({ classifier }: Touchmark, inputs: readonly string[]) {
  return classifier!.serve({ tenant: 'example', inputs, clean: inputs.map(vowels) });
}

describe('openTouchmark', () => {
  it('measures a watermark once, knows tenants by their keys, and leaves a log that verifies', async () => {
    const project = await tinyProject(withLabels);
    const { configPath, directory, apiKey } = project;
    writeFileSync(join(directory, 'inputs/twin.txt'), 'one\ntwo\nthree\nfour\n');
    const first = await open(project, { classify });
    const { policy, tenantOf } = first;
    expect(policy).toEqual({ ifMarkingFails: 'fail-closed', ifLogFails: 'fail-closed' });
    const headers = (authorization: string) => ({ headers: { authorization } });
    expect(tenantOf(headers(`Bearer ${apiKey}`))).toBe('example');
    expect(tenantOf({ req: { header: () => `bearer ${apiKey}` } })).toBe('example');
    expect(tenantOf(headers('Bearer another'))).toBeUndefined();
    expect(tenantOf({ headers: {} })).toBeUndefined();
    await expect(open(project)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    const [answer] = await serve(first, ['aeiou']);
    await first.close();

    const sealed = readFileSync(join(directory, '.touchmark/profile.json'), 'utf8');
    const { out } = { out: join(directory, 'bundle.jsonl') };
    await exportBundle({ configPath, environment: {}, out });
    const environment = { TOUCHMARK_KEYS_SOURCE: `bundle:${out}` };
    const second = await open(project, {
      environment,
      modelVersion: '8',
      tenantOf: () => 'example',
    });
    expect(await second.tenantOf({ headers: {} })).toBe('example');
    expect(await serve(second, ['aeiou'])).toEqual([answer]);
    await second.close();
    expect(readFileSync(join(directory, '.touchmark/profile.json'), 'utf8')).toBe(sealed);
    expect(await verifyLog({ configPath })).toMatchObject({ valid: true, records: 2 });
    const records = readAnswers(join(directory, '.touchmark/log'), { tenant: 'example' });
    const versions = (await collect(records)).map(({ modelVersion }) => modelVersion);
    expect(versions).toEqual(['unversioned', '8']);
  });

  it('marks and records texts under a text profile, with a tokenizer from a folder', async () => {
    const project = await tinyProject();
    const path = (name: string) => join(project.directory, name);
    writeFileSync(path('tokenizer.json'), JSON.stringify(tinyTokenizer));
    writeFileSync(path('tokenizer_config.json'), JSON.stringify(tinyTokenizerConfig));
    const example = join(import.meta.dirname, '../../docs/text-profiles/native-gumbel.json');
    const tokenizer = { name: 'tiny', vocabularySize: 64 };
    const profile = { ...JSON.parse(readFileSync(example, 'utf8')), tokenizer };
    writeFileSync(path('text.json'), JSON.stringify(profile));
    const named = { profile: path('text.json'), tokenizer: project.directory };
    const { text, classifier, close } = await open(project, { text: named });
    expect(classifier).toBeUndefined();
    const answer = text!.begin('example');
    const { index } = answer.choose([{ text: 'a fine cat sat there' }, { text: 'the dog ran' }]);
    expect([0, 1]).toContain(index);
    await answer.record({ request: '"?"', texts: ['a cat'], how: 'drafts', drafts: 2 });
    const records = readAnswers(path('.touchmark/log'), { tenant: 'example' });
    expect(await collect(records)).toMatchObject([
      { request: '"?"', texts: ['a cat'], marks: { text: 'drafts', drafts: 2 } },
    ]);
    await close();

    copyFileSync(path('text.json'), path('.touchmark/text-profile.json'));
    const again = await open(project, { environment: { TOUCHMARK_TEXT_TOKENIZER: '.' } });
    expect(again.text?.profile).toEqual(text?.profile);
    expect(again.text?.begin('example').choose([{ text: 'a' }]).index).toBe(0);
  });

  it('refuses a project with nothing to mark, without labels, or under another model', async () => {
    const project = await tinyProject();
    await expect(open(project)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('classify'),
    });
    await expect(open(project, { classify })).rejects.toThrow(/does not say what the labels are/);
    const labelled = await tinyProject(withLabels);
    await expect(open(labelled, { classify: () => [] })).resolves.toBeDefined();
    const other = await tinyProject({ 'input: text': 'input: text\n  labels: [yes, no]' });
    const profile = join(other.directory, '.touchmark/profile.json');
    copyFileSync(join(labelled.directory, '.touchmark/profile.json'), profile);
    await expect(open(other)).rejects.toThrow(/label 0 being "vowels"; the model has "yes"/);
    await expect(open(other)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
