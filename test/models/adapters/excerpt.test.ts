import { describe, expect, test } from 'vitest';
import { excerpt, shown } from '../../../src/models/adapters/excerpt.ts';

describe('excerpt', () => {
  test.each([
    ['plain text', 'plain text'],
    ['two\r\nlines\u2028and\u0000more', 'two lines and more'],
    ['\u001b[2Jclear', '[2Jclear'],
    ['left\u202eright\u2066', 'left right'],
    ['lone \ud800 surrogate', 'lone surrogate'],
    ['żółć 日本 😀', 'żółć 日本 😀'],
  ])('%j becomes %j', (text, expected) => expect(excerpt(text)).toBe(expected));

  test('never exceeds its limit nor splits a character', () => {
    expect(excerpt('abcdef', 6)).toBe('abcdef');
    expect(excerpt('abcdefg', 6)).toBe('abcde…');
    expect(excerpt('abcd😀😀', 6)).toBe('abcd…');
    expect(excerpt('\u0007'.repeat(1e6), 10)).toBe('');
  });
});

test.each([
  ['en', '"en"'],
  [null, 'null'],
  [undefined, 'missing'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [-0.25, '-0.25'],
  [[1, [2]], 'an array of 2'],
  [{ label: 'en' }, 'an object'],
])('shown(%j) is %s', (value, expected) => expect(shown(value)).toBe(expected));
