import { expect, it } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

it.each([
  ['prot', 'port'],
  ['Port', 'port'],
  ['hots', 'host'],
  ['suspect-nam', 'suspect-name'],
  ['elephant', undefined],
  ['', undefined],
])('takes %j for %j', (word, meant) => {
  expect(nearest(word, ['host', 'port', 'suspect-name'])).toBe(meant);
});
