import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { verifyCommitment } from '../../src/keys/commitment.ts';
import type { KeyFormat } from '../../src/operations/key-formats.ts';
import { generateKey, listKeys, rotateKey } from '../../src/operations/keys.ts';
import { exportKey, keyDocument } from '../../src/operations/keys-export.ts';
import { hashApiKey } from '../../src/store/api-keys.ts';
import { detectText } from '../../src/watermark/text/detect.ts';
import { parseTextProfile, type TextProfile } from '../../src/watermark/text/profile.ts';
import { parseForeignTextKey } from '../../src/watermark/text/text-key.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';
import { randomText } from '../watermark/text/random-text.ts';
import { tinyProject } from './tiny-project.ts';

it('adds a tenant to ring and configuration, its API key in a file of its own', async () => {
  const { configPath } = await tinyProject();
  const made = await generateKey({ configPath, tenant: 'acme' });
  const apiKey = readFileSync(made.apiKeyFile, 'utf8').trim();
  expect(statSync(made.apiKeyFile).mode & 0o777).toBe(0o600);
  expect(made.apiKeySha256).toBe(hashApiKey(apiKey));
  expect(JSON.stringify(made)).not.toContain(apiKey);
  const { config } = await loadConfig(configPath);
  expect(config.tenants.map(({ id }) => id)).toEqual(['example', 'acme']);
  expect(config.tenants.at(-1)?.apiKeySha256).toBe(made.apiKeySha256);
  const epochs = await listKeys({ configPath });
  expect(epochs.map(({ tenant, closedAt }) => [tenant, closedAt])).toEqual([
    ['example', null],
    ['acme', null],
  ]);
});

it.each([
  ['example', /has the tenant "example" already/],
  ['../escape', /cannot be a tenant's name/],
  ['.hidden', /cannot be a tenant's name/],
  ['stray', /stray\.key exists already/],
])('does not add the tenant %s', async (tenant, message) => {
  const { configPath, directory } = await tinyProject();
  writeFileSync(join(directory, '.touchmark/api-keys/stray.key'), 'tmk_other');
  const before = readFileSync(configPath, 'utf8');
  await expect(generateKey({ configPath, tenant })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(message),
  });
  expect(readFileSync(configPath, 'utf8')).toBe(before);
  expect(await listKeys({ configPath })).toHaveLength(1);
});

it('rotates: closes the epoch in use and begins the next under another commitment', async () => {
  const { configPath } = await tinyProject();
  const begun = await rotateKey({ configPath, tenant: 'example' });
  const [first, second] = await listKeys({ configPath });
  expect(first?.closedAt).toBe(begun.createdAt);
  expect(second).toEqual(begun);
  expect(begun).toMatchObject({ epoch: 'e2', closedAt: null });
  expect(begun.commitment).not.toBe(first?.commitment);
  await expect(rotateKey({ configPath, tenant: 'nobody' })).rejects.toMatchObject({
    code: 'TENANT_UNKNOWN',
  });
});

it('exports the key that the commitment was made to, once, to a private file', async () => {
  const { configPath, directory } = await tinyProject();
  const options = { configPath, tenant: 'example', epoch: 'e1', out: join(directory, 'e1.json') };
  const written = await exportKey(options);
  const bundle = JSON.parse(readFileSync(written.file, 'utf8'));
  expect(statSync(written.file).mode & 0o777).toBe(0o600);
  expect(bundle).toMatchObject({
    schema: 'touchmark/epoch-bundle@1',
    tenant: 'example',
    epoch: 'e1',
  });
  const key = Buffer.from(bundle.key, 'base64');
  expect(verifyCommitment(written.commitment, key, 'example', 'e1')).toBe(true);
  await expect(exportKey(options)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(exportKey({ ...options, epoch: 'e7' })).rejects.toMatchObject({
    code: 'EPOCH_UNKNOWN',
  });
});

it('makes a ring for a root that is kept elsewhere', async () => {
  const { configPath, directory } = await tinyProject({
    'source: file:.touchmark/keys/ring.json': 'source: env:ROOT_OF_TEST\n  ring: outside.json',
  });
  const environment = { ROOT_OF_TEST: Buffer.alloc(32, 7).toString('base64') };
  const options = { configPath, environment };
  const made = await generateKey({ ...options, tenant: 'acme' });
  expect(made.newRing).toBe(join(directory, 'outside.json'));
  expect((await generateKey({ ...options, tenant: 'other' })).newRing).toBeNull();
  expect((await listKeys(options)).map(({ tenant }) => tenant)).toEqual(['acme', 'other']);
  expect(readFileSync(join(directory, 'outside.json'), 'utf8')).not.toContain(
    environment.ROOT_OF_TEST,
  );
  await expect(listKeys({ configPath, environment: {} })).rejects.toMatchObject({
    code: 'KEY_SOURCE_FAILED',
  });
});

it('refuses a ring that was edited', async () => {
  const { configPath, directory } = await tinyProject();
  const path = join(directory, '.touchmark/keys/ring.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"example"', '"somebody"'));
  await expect(listKeys({ configPath })).rejects.toMatchObject({
    code: 'KEY_RING_INVALID',
    message: expect.stringContaining('edited'),
  });
});

const stacks = [
  ['transformers', undefined],
  ['vllm', undefined],
  ['transformers', { name: 'hugging-face', seeding: 'selfhash', contextWidth: 4 }],
  ['transformers', { name: 'synthid-hf', ngramLength: 5 }],
  ['vllm', { name: 'vllm-philox', contextWidth: 3, keys: 'dual', alpha: 0.2 }],
] as const;

function profileOf(prf: TextProfile['prf']): TextProfile {
  const schemes = {
    'hugging-face': { name: 'green-list', gamma: 0.5, delta: 3 },
    'synthid-hf': { name: 'tournament', depth: 7 },
    'synthid-deepmind': { name: 'tournament', depth: 7 },
    'vllm-philox': { name: 'gumbel' },
    native: { name: 'gumbel' },
  } as const;
  return {
    schema: 'touchmark/text-profile@1',
    scheme: schemes[prf.name],
    prf,
    repeats: prf.name === 'hugging-face' ? 'mark' : 'turn',
    tokenizer: { name: 'test', vocabularySize: 300 },
  };
}

it.each(stacks)('exports for %s with %j what its text is found by', async (format, prf) => {
  const { configPath, directory } = await tinyProject();
  const profilePath = join(directory, 'text.json');
  if (prf) writeFileSync(profilePath, JSON.stringify(profileOf(prf)));
  const out = join(directory, 'server.json');
  const epoch = { configPath, tenant: 'example', epoch: 'e1' };
  const chosen = { ...epoch, format, ...(prf && { profilePath }) };
  const written = await exportKey({ ...chosen, out });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  const text = readFileSync(out, 'utf8');
  expect(text).toBe((await keyDocument(chosen)).text);
  const { profile: exported, ...document } = JSON.parse(text);
  expect(document).toMatchObject({ tenant: 'example', epoch: 'e1', warnings: written.warnings });
  expect(document.commitment).toBe(written.commitment);
  const profile = parseTextProfile(exported, out);
  const key = parseForeignTextKey(JSON.parse(text), out);
  const watermark = openTextWatermark(profile, key);
  expect(watermark.keyIsPublic).toBe(false);
  const marked = randomText('exported', 60, 300, watermark);
  const bundleFile = await exportKey({ ...epoch, out: join(directory, 'bundle.json') });
  const bundle = JSON.parse(readFileSync(bundleFile.file, 'utf8'));
  const epochKey = Buffer.from(bundle.key, 'base64');
  const own = openTextWatermark(profile, { stack: 'touchmark', epochKey });
  expect(detectText(own, marked)).toEqual(detectText(watermark, marked));
  expect(detectText(own, marked).log10P).toBeLessThan(-3);
});

it('writes the configurations that the servers take', async () => {
  const { configPath, directory } = await tinyProject();
  const chosen = { configPath, tenant: 'example', epoch: 'e1' };
  const read = async (format: KeyFormat, prf?: TextProfile['prf']) => {
    const profilePath = join(directory, 'text.json');
    if (prf) writeFileSync(profilePath, JSON.stringify(profileOf(prf)));
    return (await keyDocument({ ...chosen, format, ...(prf && { profilePath }) })).text;
  };
  const lists = JSON.parse(await read('transformers'));
  expect(lists.configuration).toEqual({
    greenlist_ratio: 0.25,
    bias: 2,
    hashing_key: Number(lists.key.hashingKey),
    seeding_scheme: 'lefthash',
    context_width: 1,
  });
  const philox = await read('vllm');
  expect(philox).toContain(`"key": ${JSON.parse(philox).key.key},\n    "context_width": 4`);
  expect(JSON.parse(philox).configuration).toMatchObject({
    algorithm: 'gumbel',
    deduplicate_contexts: 'single_turn',
    prf: 'philox',
  });
  const dual = { name: 'vllm-philox', contextWidth: 3, keys: 'dual' } as const;
  expect(JSON.parse(await read('vllm', dual)).configuration).toMatchObject({
    algorithm: 'dual_key_gumbel',
    alpha: 0.1,
    context_width: 3,
  });
  const synthId = JSON.parse(await read('transformers', { name: 'synthid-hf', ngramLength: 4 }));
  expect(synthId.configuration).toMatchObject({ ngram_len: 4, sampling_table_size: 65536 });
  expect(synthId.configuration.keys).toHaveLength(7);
  expect(synthId.warnings.join()).toContain('do not mark with it');
});

it.each([
  ['bundle', { name: 'vllm-philox', contextWidth: 4, keys: 'single' }, 'USAGE'],
  ['transformers', { name: 'native', contextWidth: 2 }, 'CONFIG_INVALID'],
  ['transformers', { name: 'vllm-philox', contextWidth: 4, keys: 'single' }, 'CONFIG_INVALID'],
  ['transformers', { name: 'synthid-deepmind', ngramLength: 5 }, 'CONFIG_INVALID'],
  ['vllm', { name: 'vllm-philox', contextWidth: 0, keys: 'single' }, 'CONFIG_INVALID'],
] as const)('does not export for %s with %j', async (format, prf, code) => {
  const { configPath, directory } = await tinyProject();
  const profilePath = join(directory, 'text.json');
  writeFileSync(profilePath, JSON.stringify(profileOf(prf)));
  const chosen = { configPath, tenant: 'example', epoch: 'e1', format, profilePath };
  await expect(keyDocument(chosen)).rejects.toMatchObject({ code });
});
