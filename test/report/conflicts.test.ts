import { describe, expect, test } from 'vitest';
import { conflictsOf } from '../../src/report/conflicts.ts';

type Found = Parameters<typeof conflictsOf>[0][number];

function keyed(test: string, log10E: number, status: Found['status'] = 'done'): Found {
  return { test, null: 'keyed', status, log10E };
}

const ranks: Found = { test: 'region-traps', null: 'reference', status: 'done', log10E: 1 };

function pairs(evidence: readonly Found[]) {
  return conflictsOf(evidence).map(({ tests }) => tests);
}

describe('conflictsOf', () => {
  test('a keyed test clearly for and one clearly against disagree', () => {
    expect(pairs([keyed('coins', 2), keyed('signs', -2), keyed('query', 9)])).toEqual([
      ['coins', 'signs'],
      ['query', 'signs'],
    ]);
  });

  test('evidence that is weak, not applicable or descriptive does not', () => {
    expect(pairs([keyed('coins', 40), keyed('signs', -1.99)])).toEqual([]);
    expect(pairs([keyed('coins', 1.99), keyed('signs', -40)])).toEqual([]);
    expect(pairs([keyed('coins', 40), keyed('signs', -40, 'not-applicable')])).toEqual([]);
    expect(pairs([keyed('coins', 40), { ...keyed('signs', -40), null: 'descriptive' }])).toEqual(
      [],
    );
  });

  test('references that find something disagree with keyed tests that are done and silent', () => {
    expect(pairs([keyed('coins', 0), keyed('signs', -0.4), ranks])).toEqual([
      ['region-traps', 'signs'],
    ]);
    expect(pairs([keyed('coins', 0.1), keyed('signs', -0.4), ranks])).toEqual([]);
    expect(pairs([keyed('coins', 0, 'partial'), ranks])).toEqual([]);
    expect(pairs([keyed('coins', 0), { ...ranks, log10E: 0.99 }])).toEqual([]);
    expect(pairs([keyed('coins', 0), { ...ranks, status: 'partial' }])).toEqual([]);
    expect(pairs([ranks])).toEqual([]);
  });

  test('what it says names the test that found something', () => {
    for (const { tests, says } of [
      ...conflictsOf([keyed('coins', 3), keyed('signs', -3)]),
      ...conflictsOf([keyed('signs', -3), ranks]),
    ]) {
      expect(says).toContain(tests[0]);
    }
  });
});
