import { describe, expect, test } from 'vitest';
import {
  bans,
  boundAbove,
  clipped,
  displayWidth,
  duration,
  moment,
  percent,
  pValue,
  visible,
} from '../../src/report/text.ts';
import { hostile } from './hostile.ts';

describe('visible', () => {
  test('leaves ordinary text of any script alone', () => {
    for (const text of ['fasttext-lid', 'žluťoučký', 'हिन्दी', '日本語', 'العربية']) {
      expect(visible(text)).toBe(text);
    }
  });

  test('leaves nothing unseen in a hostile text, and nothing long', () => {
    for (const text of hostile) {
      expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(visible(text).length).toBeLessThan(1000);
    }
  });

  test('names what it replaced, what it cut and what was blank', () => {
    expect(visible('a\u202Eb')).toBe('a\\u{202e}b');
    expect(visible('x'.repeat(100_000), 5)).toBe('xxxxx… (100,000 characters)');
    expect(visible(' ')).toBe('(blank)');
  });

  test('does not cut a character in two', () => {
    expect(visible('𝒳'.repeat(9), 3)).toBe('𝒳𝒳𝒳… (18 characters)');
  });
});

describe('numbers', () => {
  test('p-values keep two digits and are rounded up', () => {
    expect([1, 0.5, 0.05, 1 / 21, 0.0241, 0.999, 2e-9].map(pValue)).toEqual([
      '1',
      '0.5',
      '0.05',
      '0.048',
      '0.025',
      '1',
      '2e-9',
    ]);
  });

  test('bans are rounded down, bounds up, so that neither overstates', () => {
    expect([5.96, 6, -0.01, 0.3, 2.3].map((value) => bans(value))).toEqual([
      '5.9',
      '6.0',
      '−0.1',
      '0.3',
      '2.3',
    ]);
    expect([-33.57, 0.301, 0.3].map((value) => boundAbove(value))).toEqual(['−33.5', '0.4', '0.3']);
    expect(bans(0.29, 2)).toBe('0.29');
    expect(boundAbove(-0.01)).toBe('0.0');
  });

  test('shares, moments and durations', () => {
    expect(percent(1, 8)).toBe('12.5%');
    expect(percent(0, 0)).toBe('–');
    expect(moment('2026-05-04T11:12:59+02:00')).toBe('2026-05-04 09:12 UTC');
    expect([42, 59.99, 185, 7441].map(duration)).toEqual([
      '42.0 s',
      '60.0 s',
      '3 min 5 s',
      '2 h 4 min',
    ]);
  });
});

describe('terminal columns', () => {
  test('wide characters take two, combining marks none', () => {
    expect(['abc', '日本', 'e\u0301'].map(displayWidth)).toEqual([3, 4, 1]);
  });

  test('clipping respects them', () => {
    expect(clipped('日本語', 5)).toBe('日本…');
    expect(clipped('short', 5)).toBe('short');
  });
});
