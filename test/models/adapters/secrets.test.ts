import { describe, expect, it } from 'vitest';
import { maskSecrets, secretsIn } from '../../../src/models/adapters/secrets.ts';

const secret = 'a/b+c"d\\e0123456=';

describe('maskSecrets', () => {
  it.each([
    ['as it is', secret],
    ['as JSON', JSON.stringify(secret).slice(1, -1)],
    ['as JSON with slashes escaped', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
    [
      'as JSON with all escaped',
      [...secret].map((each) => `\\u00${each.charCodeAt(0).toString(16).toUpperCase()}`).join(''),
    ],
    ['in an address', encodeURIComponent(secret)],
  ])('finds a secret %s', (_, spelt) => {
    expect(maskSecrets(`{"error":"no ${spelt} here"}`, [secret])).toBe('{"error":"no … here"}');
  });

  it('leaves other text alone', () => {
    const text = '{"a\\/b":"c\\u0064 \\\\ a/b+c"}';
    expect(maskSecrets(text, [secret])).toBe(text);
  });
});

describe('secretsIn', () => {
  it('takes what follows a scheme for a secret too, and short values for none', () => {
    expect(secretsIn(['Bearer 0123456789', 'en-US, en', 'short', ''])).toEqual([
      'Bearer 0123456789',
      '0123456789',
      'en-US, en',
    ]);
  });
});
