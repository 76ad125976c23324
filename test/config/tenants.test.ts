import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { readTenantsFile } from '../../src/config/tenants.ts';
import { temporaryDirectory } from '../store/directory.ts';

const hashOf = (index: number) => `ab${index.toString(16).padStart(62, '0')}`;
const head =
  'schema: touchmark/config@1\nmodel: { name: m, upstream: "http:http://127.0.0.1:1/c" }\n';

function written(name: string, text: string, directory = temporaryDirectory()): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function lineOf(index: number): string {
  return `${JSON.stringify({ id: `tenant-${index}`, apiKeySha256: hashOf(index) })}\n`;
}

describe('tenantsFile', () => {
  it('adds its tenants to those of the configuration, beside which its path is', async () => {
    const directory = temporaryDirectory();
    const quota = { requestsPerSecond: 2.5, answersPerDay: 1000 };
    const own = JSON.stringify({ id: 'by-token', quota });
    written('many.jsonl', `\uFEFF${lineOf(1)}\r\n\n${own}`, directory);
    const listed = `tenants: [ { id: first, apiKeySha256: ${hashOf(9)} } ]\n`;
    const path = written('touchmark.yaml', `${head}${listed}tenantsFile: many.jsonl\n`, directory);
    const { config } = await loadConfig(path, { environment: {} });
    expect(config.tenantsFile).toBe(join(directory, 'many.jsonl'));
    expect(config.tenants).toEqual([
      { id: 'first', apiKeySha256: hashOf(9) },
      { id: 'tenant-1', apiKeySha256: hashOf(1) },
      { id: 'by-token', quota },
    ]);
  });

  it('names file and line of every problem, and shows no key', async () => {
    const lines = [
      lineOf(1),
      '{"id": "tenant-2", "apiKeySha256": "tmk_SENTINEL"}\n',
      'tmk_SENTINEL\n',
      lineOf(1),
      JSON.stringify({ id: 'other', apiKeySha256: hashOf(1).toUpperCase() }),
      '\n{"id": "../escape"}\n',
      '{"id": "odd", "limit": 4}\n{"id": "listed"}\n[]\n',
      '{"id": "fast", "quota": {"requestsPerSecond": 0}}\n',
    ];
    const path = written('many.jsonl', lines.join(''));
    const error = await readTenantsFile(path, [{ id: 'listed' }]).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    const message = error instanceof Error ? error.message.replaceAll(path, 'FILE') : '';
    expect(message).not.toContain('SENTINEL');
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/^FILE:2: apiKeySha256: .*not 64 hexadecimal digits/),
      'FILE:3: this is no JSON.',
      'FILE:4: the tenant "tenant-1" is there already, FILE:1.',
      'FILE:5: "other" has the same API key as "tenant-1".',
      expect.stringMatching(/^FILE:6: id: /),
      expect.stringMatching(/^FILE:7: .*"limit"/),
      'FILE:8: the tenant "listed" is there already, under tenants: in the configuration.',
      expect.stringMatching(/^FILE:9: /),
      expect.stringMatching(/^FILE:10: quota.requestsPerSecond: /),
    ]);
  });

  it('stops after twenty problems, at a line without an end, and without a file', async () => {
    const many = await readTenantsFile(written('many.jsonl', '{}\n'.repeat(5000))).catch(String);
    expect(String(many).split('\n')).toHaveLength(21);
    const endless = written('many.jsonl', `${lineOf(1)}${'x'.repeat(300_000)}`);
    await expect(readTenantsFile(endless)).rejects.toThrow(/many\.jsonl:2: the line has more than/);
    await expect(readTenantsFile('/nowhere/many.jsonl')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'Could not read tenantsFile /nowhere/many.jsonl (ENOENT).',
    });
  });

  it('reads twenty times as many in about twenty times the time', async () => {
    const small = written(
      'small.jsonl',
      Array.from({ length: 1000 }, (_, i) => lineOf(i)).join(''),
    );
    const large = written(
      'large.jsonl',
      Array.from({ length: 20_000 }, (_, i) => lineOf(i)).join(''),
    );
    const timeOf = async (path: string) => {
      const times: number[] = [];
      for (let run = 0; run < 3; run += 1) {
        const start = performance.now();
        const { length } = await readTenantsFile(path);
        times.push((performance.now() - start) / length);
      }
      return Math.min(...times);
    };
    const [few, many] = [await timeOf(small), await timeOf(large)];
    expect(many).toBeLessThan(8 * few);
  });
});

describe('serve.jwt', () => {
  const load = (jwt: string) =>
    loadConfig(written('touchmark.yaml', `${head}serve: { jwt: { audience: us, ${jwt} } }\n`), {
      environment: {},
    });

  it('takes a key set from https, from this machine or from a file, or a secret by its variable', async () => {
    for (const jwks of ['https://id.test/keys', 'http://127.0.0.1:9/k', 'http://[::1]/k']) {
      expect((await load(`jwks: "${jwks}"`)).config.serve.jwt?.jwks).toBe(jwks);
    }
    const { config, directory } = await load('jwks: keys.json');
    expect(config.serve.jwt).toMatchObject({
      claim: 'sub',
      clockToleranceSeconds: 30,
      jwks: join(directory, 'keys.json'),
    });
    expect(config.serve.jwt?.algorithms).not.toContain('HS256');
    const secret = await load('secretEnvironment: THE_SECRET');
    expect(secret.config.serve.jwt?.secretEnvironment).toBe('THE_SECRET');
  });

  it.each([
    ['jwks: "http://id.test/keys"', /neither https/],
    ['jwks: "http://127.0.0.1.evil.test/keys"', /neither https/],
    ['jwks: "https://user:word@id.test/keys"', /neither https/],
    ['jwks: keys.json, algorithms: [HS256]', /algorithms/],
    ['jwks: keys.json, algorithms: [none]', /algorithms/],
    ['jwks: keys.json, secretEnvironment: THE_SECRET', /give one of/],
    ['issuer: x', /give one of/],
  ])('refuses %s', async (jwt, message) => {
    await expect(load(jwt)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(load(jwt)).rejects.toThrow(message);
  });
});
