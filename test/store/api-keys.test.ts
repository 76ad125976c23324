import { describe, expect, it } from 'vitest';
import { generateApiKey, hashApiKey, TenantTable } from '../../src/store/api-keys.ts';

describe('API keys', () => {
  it('are 256 random bits that find their tenant', () => {
    const keys = [generateApiKey(), generateApiKey(), generateApiKey()];
    for (const key of keys) expect(key).toMatch(/^tmk_[\w-]{43}$/);
    expect(new Set(keys).size).toBe(3);
    const tenants = ['acme', 'bolt', 'acme'];
    const table = new TenantTable(
      keys.map((key, index) => ({ tenant: tenants[index]!, apiKeySha256: hashApiKey(key) })),
    );
    expect(keys.map((key) => table.find(key))).toEqual(tenants);
    expect([generateApiKey(), '', hashApiKey(keys[0]!)].map((key) => table.find(key))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('have the hash that sha256sum prints', () => {
    expect(hashApiKey('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('are refused when malformed or shared', () => {
    const apiKeySha256 = hashApiKey('abc');
    expect(() => new TenantTable([{ tenant: 'acme', apiKeySha256: 'abc' }])).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/"acme"/) }),
    );
    const shared = ['acme', 'bolt'].map((tenant) => ({ tenant, apiKeySha256 }));
    expect(() => new TenantTable(shared)).toThrow(/"acme" and "bolt" have the same API key/);
  });
});
