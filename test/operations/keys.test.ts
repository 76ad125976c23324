import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { verifyCommitment } from '../../src/keys/commitment.ts';
import { exportKey, generateKey, listKeys, rotateKey } from '../../src/operations/keys.ts';
import { hashApiKey } from '../../src/store/api-keys.ts';
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
