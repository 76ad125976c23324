import { expect, it } from 'vitest';
import { RecentlyUsed } from '../../src/serve/recently-used.ts';

it('makes what it does not keep, and keeps what was used last', () => {
  const made: string[] = [];
  const kept = new RecentlyUsed<string>(2);
  const get = (name: string) =>
    kept.get(name, () => {
      made.push(name);
      return name.toUpperCase();
    });
  expect(['a', 'b', 'a', 'c', 'a', 'b'].map(get)).toEqual(['A', 'B', 'A', 'C', 'A', 'B']);
  expect(made).toEqual(['a', 'b', 'c', 'b']);
});
