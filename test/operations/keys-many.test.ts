import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { verifyCommitment } from '../../src/keys/commitment.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { listKeys } from '../../src/operations/keys.ts';
import { exportBundle } from '../../src/operations/keys-bundle.ts';
import { generateKeys, parseNames, rotateKeys } from '../../src/operations/keys-many.ts';
import { openEpochKeys } from '../../src/operations/keys-open.ts';
import { publishedCheckpoint } from '../../src/operations/log-checkpoints.ts';
import { openProject } from '../../src/operations/project.ts';
import { hashApiKey } from '../../src/store/api-keys.ts';
import { recordsOf } from '../ledger/records-data.ts';
import { tinyProject } from './tiny-project.ts';

const quiet = { signal: new AbortController().signal, progress: () => undefined };

async function projectOfMany() {
  const project = await tinyProject({ '# tenantsFile:': 'tenantsFile: tenants.jsonl' });
  writeFileSync(join(project.directory, 'tenants.jsonl'), '');
  return { ...project, out: join(project.directory, 'private', 'api-keys.jsonl') };
}

function apiKeysIn(path: string): { id: string; apiKey: string }[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it('adds many tenants, goes on where it stopped, and rotates all of them', async () => {
  const { configPath, directory, out } = await projectOfMany();
  const made = await generateKeys({ configPath, ...quiet, names: ['acme', 'bolt'], out });
  expect(made).toMatchObject({ tenants: 2, skipped: 0, apiKeysFile: out, newRing: null });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  const keys = apiKeysIn(out);
  expect(keys.map(({ id }) => id)).toEqual(['acme', 'bolt']);
  expect(JSON.stringify(made)).not.toContain(keys[0]?.apiKey);

  const again = { configPath, ...quiet, names: ['bolt', 'example', 'core', 'acme'] };
  await expect(generateKeys({ ...again, out })).rejects.toMatchObject({ code: 'USAGE' });
  const more = await generateKeys({ ...again, out: `${out}.2` });
  expect(more).toMatchObject({ tenants: 1, skipped: 3 });
  const { config } = await loadConfig(configPath);
  expect(config.tenants.slice(1)).toEqual(
    [...keys, ...apiKeysIn(`${out}.2`)].map(({ id, apiKey }) => ({
      id,
      apiKeySha256: hashApiKey(apiKey),
    })),
  );

  expect(await rotateKeys({ configPath, ...quiet, names: ['core'] })).toEqual({ tenants: 1 });
  expect(await rotateKeys({ configPath, ...quiet })).toEqual({ tenants: 4 });
  const open = (await listKeys({ configPath })).filter(({ closedAt }) => closedAt === null);
  expect(open.map(({ tenant, epoch }) => `${tenant} ${epoch}`)).toEqual([
    'example e2',
    'acme e2',
    'bolt e2',
    'core e3',
  ]);
  const before = readFileSync(join(directory, '.touchmark/keys/ring.json'), 'utf8');
  const unknown = rotateKeys({ configPath, ...quiet, names: ['acme', 'nobody'] });
  await expect(unknown).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  expect(readFileSync(join(directory, '.touchmark/keys/ring.json'), 'utf8')).toBe(before);
});

it('keeps what it made when it is interrupted', async () => {
  const { configPath, out } = await projectOfMany();
  const controller = new AbortController();
  const progress = (_: string, done: number) => {
    if (done === 1) controller.abort(new Error('enough'));
  };
  const names = ['a', 'b', 'c'];
  const interrupted = generateKeys({
    ...{ configPath, names, out, progress },
    signal: controller.signal,
  });
  await expect(interrupted).rejects.toThrow('enough');
  expect(apiKeysIn(out).map(({ id }) => id)).toEqual(['a']);
  const { config } = await loadConfig(configPath);
  expect(config.tenants.map(({ id }) => id)).toEqual(['example', 'a']);
});

it('gives no API keys to tenants that ask with a JWT alone, and needs a file for many', async () => {
  const { configPath, out } = await projectOfMany();
  const options = { configPath, ...quiet, names: ['acme'] };
  await expect(generateKeys(options)).rejects.toMatchObject({ code: 'USAGE' });
  const text = readFileSync(configPath, 'utf8');
  writeFileSync(configPath, text.replace('tenantsFile:', '# tenantsFile:'));
  await expect(generateKeys({ ...options, out })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: expect.stringContaining('tenantsFile: tenants.jsonl'),
  });
  expect(existsSync(out)).toBe(false);
  writeFileSync(configPath, text.replace('  # jwt:', '  jwt: { audience: us, jwks: keys.json }'));
  expect(await generateKeys(options)).toMatchObject({ tenants: 1, apiKeysFile: null });
  expect((await loadConfig(configPath)).config.tenants.at(-1)).toEqual({ id: 'acme' });
});

it('reads names, and says which line is none', () => {
  expect(parseNames('acme\r\n\n  bolt \n', 'names.txt')).toEqual(['acme', 'bolt']);
  expect(() => parseNames('acme\n../bolt', 'names.txt')).toThrow(/^names\.txt:2: this cannot/);
  expect(() => parseNames('acme\nbolt\nacme', 'stdin')).toThrow(/^stdin:3: acme is in line 1/);
});

it('opens for a gateway the ring with a key to sign, or a bundle without', async () => {
  const { configPath, directory } = await tinyProject();
  const ring = await openEpochKeys(await openProject({ configPath }));
  const { epoch, commitment } = ring.keys.currentEpoch('example');
  expect(verifyCommitment(commitment, ring.keys.epochKey('example', epoch), 'example', epoch)).toBe(
    true,
  );
  const out = join(directory, 'bundle.jsonl');
  expect(await exportBundle({ configPath, out })).toEqual({ file: out, tenants: 1 });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  const { secret } = JSON.parse(
    readFileSync(join(directory, '.touchmark/keys/ring.json'), 'utf8'),
  ).root;
  expect(readFileSync(out, 'utf8')).not.toContain(secret);

  const text = readFileSync(configPath, 'utf8');
  const ringSource = 'source: file:.touchmark/keys/ring.json';
  writeFileSync(configPath, text.replace(ringSource, 'source: bundle:bundle.jsonl'));
  const project = await openProject({ configPath });
  const bundle = await openEpochKeys(project);
  expect(bundle.keys.tenants()).toEqual(['example']);
  expect(bundle.keys.currentEpoch('example')).toEqual({ epoch, commitment });
  expect(bundle.keys.epochKey('example', epoch)).toEqual(ring.keys.epochKey('example', epoch));
  expect(bundle).not.toHaveProperty('signingKey');
  const { directory: logDirectory } = project.config.log;
  const append = async (signingKey?: KeyObject) => {
    const log = await openServingLog(logDirectory, signingKey && { signingKey });
    await log.append(recordsOf(1, 'example'));
    await log.close();
  };
  await append();
  expect(await verifyServingLog(logDirectory)).toMatchObject({
    problems: [],
    signedCheckpoints: 0,
  });
  await append(ring.signingKey);
  expect(await verifyServingLog(logDirectory)).toMatchObject({ problems: [], records: 2 });
  writeFileSync(configPath, text);
  expect(await publishedCheckpoint({ configPath })).toMatchObject({ size: 2 });

  writeFileSync(configPath, text.replace(ringSource, 'source: bundle:bundle.jsonl'));
  for (const use of [listKeys, exportBundle]) {
    await expect(use({ configPath, out: `${out}.2` })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('where the key ring is'),
    });
  }
});
