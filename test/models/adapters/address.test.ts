import { describe, expect, test } from 'vitest';
import { display, parseAddress } from '../../../src/models/adapters/address.ts';

const failure = (code: string, message: string) =>
  expect.objectContaining({ code, message, hint: expect.stringMatching(/\w/) });

describe('parseAddress', () => {
  test('keeps path and query and drops the fragment', () => {
    expect(parseAddress('https://host:8443/a/b?c=d#e').href).toBe('https://host:8443/a/b?c=d');
  });

  test.each([
    ['', '"" is no http address'],
    ['host/path', '"host/path" is no http address'],
    ['ftp://host/x', '"ftp://host/x" is no http address'],
    ['file:///etc/passwd', '"file:///etc/passwd" is no http address'],
    ['http://', '"http://" is no http address'],
    ['http//me:secret@host?key=secret', '"http//…@host?…" is no http address'],
  ])('refuses %j', (text, message) => {
    expect(() => parseAddress(text)).toThrow(failure('USAGE', message));
  });

  test.each([
    'http://me:secret@host/x?key=secret',
    'http://secret@host/x?a',
    'http://:secret@host/x?a',
  ])('refuses credentials and does not repeat them: %s', (text) => {
    const message = 'the address http://host/x?… carries a user name or password';
    expect(() => parseAddress(text)).toThrow(failure('USAGE', message));
  });
});

test('an address is shown without the values of its query', () => {
  expect(display(new URL('http://host/classify?key=secret'))).toBe('http://host/classify?…');
});
