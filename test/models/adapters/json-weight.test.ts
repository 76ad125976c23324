import { describe, expect, it } from 'vitest';
import { tooHeavy } from '../../../src/models/adapters/json-weight.ts';

const list = (items: string[]) => `[${items.join()}]`;
const many = (count: number, item: string) => list(new Array<string>(count).fill(item));

describe('tooHeavy', () => {
  it.each([
    ['a plain answer', '{"labels": ["a"], "probabilities": [[1]]}'],
    ['as many probabilities as a body has room for', many(2_000_000, '0.123456')],
    ['a hundred levels', `${'['.repeat(100)}${']'.repeat(100)}`],
    ['lists one after the other', many(300_000, '[1]')],
    ['signs within texts', JSON.stringify('[{"\\,:'.repeat(1_000_000))],
    ['a text without end', `"${','.repeat(3_000_000)}\\`],
  ])('lets pass: %s', (_, text) => {
    expect(tooHeavy(text)).toBeUndefined();
  });

  it.each([
    ['lists within lists', '['.repeat(101), 'more than 100 levels of JSON'],
    ['objects within objects', '{"a":'.repeat(101), 'more than 100 levels of JSON'],
    ['empty lists', many(500_000, '[]'), 'more values than any answer needs'],
    ['empty objects', many(500_000, '{}'), 'more values than any answer needs'],
    ['names', `{${new Array(500_000).fill('"a":0')}}`, 'more values than any answer needs'],
    ['numbers', many(2_200_000, '0'), 'more values than any answer needs'],
  ])('refuses: %s', (_, text, why) => {
    expect(tooHeavy(text)).toBe(why);
  });
});
