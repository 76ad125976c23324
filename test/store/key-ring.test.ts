import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { commitToEpochKey } from '../../src/keys/commitment.ts';
import { deriveEpochKey } from '../../src/keys/derivation.ts';
import { createKeyRing, KeyRing, openKeyRing } from '../../src/store/key-ring.ts';
import { temporaryDirectory } from './directory.ts';

const times = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'] as const;
const beacon = Buffer.alloc(32, 7);

async function ringWithEpochs(passphrase?: string): Promise<string> {
  const path = join(temporaryDirectory(), 'private', 'keys.json');
  const ring = await createKeyRing({ source: `file:${path}`, ...(passphrase && { passphrase }) });
  ring.addEpoch('acme', times[0]);
  ring.addEpoch('bolt', times[0]);
  ring.addEpoch('acme', times[1], beacon);
  await ring.save();
  return path;
}

describe('key ring', () => {
  it('keeps tenants, epochs and keys over reopening', async () => {
    const path = await ringWithEpochs();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const ring = await openKeyRing({ source: `file:${path}` });
    expect(ring.tenants()).toEqual(['acme', 'bolt']);
    expect(ring.epochs('acme').map(({ epoch, closedAt }) => [epoch, closedAt])).toEqual([
      ['e1', times[1]],
      ['e2', undefined],
    ]);
    expect(ring.currentEpoch('acme').epoch).toBe('e2');
    const root = Buffer.from(JSON.parse(readFileSync(path, 'utf8')).root.secret, 'base64');
    const key = deriveEpochKey({ root, tenant: 'acme', epoch: 'e2', beacon });
    expect(ring.epochKey('acme', 'e2')).toEqual(key);
    expect(ring.commitment('acme', 'e2')).toBe(commitToEpochKey(key, 'acme', 'e2'));
    expect(ring.epochKey('acme', 'e1')).not.toEqual(ring.epochKey('bolt', 'e1'));
  });

  it('names what it knows when asked for what it does not', async () => {
    const ring = await openKeyRing({ source: `file:${await ringWithEpochs()}` });
    expect(() => ring.epochs('nobody')).toThrow(
      expect.objectContaining({ code: 'TENANT_UNKNOWN', hint: 'It knows: acme, bolt.' }),
    );
    expect(() => ring.epochKey('acme', 'e3')).toThrow(
      expect.objectContaining({ code: 'EPOCH_UNKNOWN', hint: 'It has: e1, e2.' }),
    );
    expect(() => ring.addEpoch('acme', times[0])).toThrow(/is before e2 began/);
    expect(() => ring.addEpoch('acme', 'yesterday')).toThrow(/"yesterday" is not ISO 8601/);
    expect(() => ring.addEpoch('', times[1])).toThrow(/tenant name "" has 0 bytes/);
  });

  it('opens with its passphrase only, and holds no root in clear', async () => {
    const path = await ringWithEpochs('correct horse');
    expect(readFileSync(path, 'utf8')).not.toContain('"secret"');
    const ring = await openKeyRing({ source: `file:${path}`, passphrase: 'correct horse' });
    expect(ring.tenants()).toEqual(['acme', 'bolt']);
    for (const given of [{ passphrase: 'Sentinel phrase' }, {}]) {
      const attempt = openKeyRing({ source: `file:${path}`, ...given });
      const error = await attempt.catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'KEY_RING_PASSPHRASE' });
      expect(inspect(error, { depth: 9 })).not.toContain('Sentinel');
    }
    const greedy = readFileSync(path, 'utf8').replace('"N": 32768', '"N": 1073741824');
    writeFileSync(path, greedy);
    await expect(
      openKeyRing({ source: `file:${path}`, passphrase: 'correct horse' }),
    ).rejects.toThrow(/root.scrypt.N is not as it was written/);
    await expect(
      createKeyRing({ source: `file:${path}.new`, passphrase: '' }),
    ).rejects.toMatchObject({ code: 'KEY_RING_PASSPHRASE' });
  });

  it('refuses a file that others can read, naming the mode', async () => {
    const path = await ringWithEpochs();
    chmodSync(path, 0o640);
    await expect(openKeyRing({ source: `file:${path}` })).rejects.toMatchObject({
      code: 'KEY_RING_PERMISSIONS',
      message: expect.stringContaining('mode 0640'),
      hint: expect.stringContaining(`chmod 600 ${path}`),
    });
  });

  it('refuses a ring cut anywhere, edited anywhere, or newer, and shows no secret', async () => {
    const path = await ringWithEpochs();
    const text = readFileSync(path, 'utf8');
    const { secret } = JSON.parse(text).root;
    const refused = async (changed: string, message: RegExp) => {
      writeFileSync(path, changed);
      const error = await openKeyRing({ source: `file:${path}` }).catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        code: 'KEY_RING_INVALID',
        message: expect.stringMatching(message),
      });
      expect(error).toMatchObject({ message: expect.stringContaining(path) });
      expect(inspect(error, { depth: 9 })).not.toContain(secret.slice(0, 12));
    };
    for (let length = 0; length < text.length - 2; length += 37) {
      await refused(text.slice(0, length), /is not complete JSON/);
    }
    await refused(text.replace(times[1], '2026-02-02T00:00:00.000Z'), /was edited/);
    await refused(text.replace('"bolt"', '"volt"'), /was edited/);
    await refused(text.replace(secret, Buffer.alloc(32, 1).toString('base64')), /was edited/);
    await refused(text.replace('key-ring@1', 'key-ring@2'), /touchmark\/key-ring@2; this version/);
    await refused(text.replace('"mac"', '"tag"'), /is no touchmark\/key-ring@1/);
    await refused('[]', /is no touchmark\/key-ring@1/);
    for (const position of [...text.matchAll(/[0-9a-f]{8}/g)].map(({ index }) => index)) {
      const digit = text[position] === '0' ? '1' : '0';
      await refused(text.slice(0, position) + digit + text.slice(position + 1), /edited|is no/);
    }
  });

  it('never overwrites a ring, nor what another process saved', async () => {
    const path = await ringWithEpochs();
    await expect(createKeyRing({ source: `file:${path}` })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('exists already'),
    });
    const [first, second] = await Promise.all(
      [1, 2].map(() => openKeyRing({ source: `file:${path}` })),
    );
    first?.addEpoch('acme', times[1]);
    second?.addEpoch('bolt', times[1]);
    const saved = await Promise.allSettled([first?.save(), second?.save()]);
    expect(saved.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(saved.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'STORE_LOCKED' },
    });
    await expect(openKeyRing({ source: `file:${path}.absent` })).rejects.toMatchObject({
      code: 'KEY_RING_INVALID',
    });
  });

  it('takes its root from outside, and knows a wrong one', async () => {
    const path = join(temporaryDirectory(), 'keys.json');
    const environment = { ROOT: Buffer.alloc(32, 5).toString('base64') };
    const ring = await createKeyRing({ source: 'env:ROOT', path, environment });
    ring.addEpoch('acme', times[0]);
    await ring.save();
    expect(readFileSync(path, 'utf8')).not.toContain(environment.ROOT);
    const again = await openKeyRing({ source: 'env:ROOT', path, environment });
    expect(again.epochKey('acme', 'e1')).toEqual(ring.epochKey('acme', 'e1'));
    const other = { ROOT: Buffer.alloc(32, 6).toString('base64') };
    await expect(openKeyRing({ source: 'env:ROOT', path, environment: other })).rejects.toThrow(
      /or does not belong to the root key of its source/,
    );
    await expect(openKeyRing({ source: `file:${path}` })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(openKeyRing({ source: 'env:ROOT', environment })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('opens a ring as earlier versions wrote it, and writes an epoch a line', async () => {
    const path = await ringWithEpochs();
    const text = readFileSync(path, 'utf8');
    expect(text.match(/\n {4}\{"tenant":.*"epoch":"e\d"/g)).toHaveLength(3);
    writeFileSync(path, `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`);
    expect((await openKeyRing({ source: `file:${path}` })).tenants()).toEqual(['acme', 'bolt']);
  });

  it('finds an epoch without a search: one of each of 20,000 tenants would take seconds', () => {
    const ring = ringOf(20_000);
    const names = ring.tenants();
    const times = Array.from({ length: 3 }, () => {
      const start = performance.now();
      for (const tenant of names) ring.currentEpoch(tenant);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(400);
  });

  it('gives gateways a key at once, and names ten of many tenants', () => {
    const ring = ringOf(2000);
    const start = performance.now();
    for (const tenant of ring.tenants()) ring.derivedKey(tenant, 'e1');
    expect(performance.now() - start).toBeLessThan(2000);
    expect(ring.has('tenant-3') && !ring.has('nobody')).toBe(true);
    expect(() => ring.derivedKey('nobody', 'e1')).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/tenant-9 and 1990 more\.$/) }),
    );
    expect(() => ring.epochKey('tenant-3', 'e1')).toThrow(/commitment to another key/);
  });

  it('refuses an epoch bundle where the root is needed', async () => {
    for (const use of [openKeyRing, createKeyRing]) {
      await expect(use({ source: 'bundle:/somewhere/bundle.jsonl' })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('/somewhere/bundle.jsonl is an epoch bundle'),
        hint: expect.stringContaining('where the key ring is'),
      });
    }
  });
});

/** A ring whose commitments are to no keys: a true one takes some 60 ms. */
function ringOf(count: number): KeyRing {
  const epochs = Array.from({ length: count }, (_, index) => ({
    ...{ tenant: `tenant-${index}`, epoch: 'e1', createdAt: times[0] },
    commitment: `sha256:${index.toString(16).padStart(64, '0')}`,
  }));
  return new KeyRing('/nowhere/ring.json', Buffer.alloc(32, 1), { kind: 'external' }, epochs, '');
}
