import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { initProject } from '../../src/operations/init.ts';
import { hashApiKey } from '../../src/store/api-keys.ts';
import { openKeyRing } from '../../src/store/key-ring.ts';
import { temporaryDirectory } from '../store/directory.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('initProject', () => {
  it('makes a project whose parts fit together', async () => {
    const directory = join(temporaryDirectory(), 'new');
    const result = await initProject({ directory, environment: {} });
    const { config } = await loadConfig(join(directory, 'touchmark.yaml'), { environment: {} });
    const apiKey = readFileSync(join(directory, '.touchmark/api-keys/example.key'), 'utf8').trim();
    expect(config.tenants).toEqual([{ id: 'example', apiKeySha256: hashApiKey(apiKey) }]);
    const ring = await openKeyRing({ source: config.keys.source });
    expect(ring.currentEpoch('example')).toMatchObject({
      epoch: 'e1',
      commitment: result.commitment,
    });
    expect(readFileSync(config.inputs.twin, 'utf8')).toBe('');
    for (const folder of ['traps', 'fingerprints']) {
      const copy = readFileSync(join(directory, folder, 'README.md'), 'utf8');
      expect(copy).toBe(
        readFileSync(join(import.meta.dirname, '../..', folder, 'README.md'), 'utf8'),
      );
    }
    expect(result.made.every((path) => existsSync(path))).toBe(true);
  });

  it('keeps secrets to their owner and out of git', async () => {
    const directory = temporaryDirectory();
    await initProject({ directory, environment: {} });
    const at = (...names: string[]) => join(directory, '.touchmark', ...names);
    expect(modeOf(at())).toBe(0o700);
    expect(modeOf(at('keys', 'ring.json'))).toBe(0o600);
    expect(modeOf(at('api-keys', 'example.key'))).toBe(0o600);
    expect(readFileSync(at('.gitignore'), 'utf8')).toBe('*\n');
    expect(modeOf(join(directory, 'touchmark.yaml')) & 0o600).toBe(0o600);
  });

  it('seals the root with a passphrase from the environment', async () => {
    const directory = temporaryDirectory();
    await initProject({ directory, environment: { TOUCHMARK_PASSPHRASE: 'correct horse' } });
    const source = `file:${join(directory, '.touchmark/keys/ring.json')}`;
    await expect(openKeyRing({ source })).rejects.toMatchObject({ code: 'KEY_RING_PASSPHRASE' });
    const ring = await openKeyRing({ source, passphrase: 'correct horse' });
    expect(ring.tenants()).toEqual(['example']);
  });

  it.each([
    'touchmark.yaml',
    '.touchmark',
    'traps',
    'fingerprints',
    'inputs',
  ])('makes nothing where there is %s', async (name) => {
    const directory = temporaryDirectory();
    if (name.endsWith('.yaml')) writeFileSync(join(directory, name), 'mine');
    else mkdirSync(join(directory, name));
    await expect(initProject({ directory, environment: {} })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(join(directory, name)),
    });
    expect(readdirSync(directory)).toEqual([name]);
  });
});
