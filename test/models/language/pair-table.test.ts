import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PairTable } from '../../../src/models/language/pair-table.ts';

const pairs = fc.array(
  fc.tuple(fc.integer({ min: -3, max: 40 }), fc.integer({ min: -3, max: 40 })),
);

describe('PairTable', () => {
  it('numbers pairs by their first insertion, as a map does, however small it began', () => {
    fc.assert(
      fc.property(pairs, (inserted) => {
        const table = new PairTable(1);
        const map = new Map<string, number>();
        for (const [first, second] of inserted) {
          const key = `${first},${second}`;
          if (!map.has(key)) map.set(key, map.size);
          expect(table.insert(first, second)).toBe(map.get(key));
        }
        for (const each of [table, table.compact()]) {
          expect(each.size).toBe(map.size);
          const kept = Array.from(each.firsts, (first, at) => `${first},${each.seconds[at]}`);
          expect(kept).toEqual([...map.keys()]);
          expect(each.find(99, 99)).toBe(-1);
          for (const [first, second] of inserted) {
            expect(each.find(first, second)).toBe(map.get(`${first},${second}`));
          }
        }
      }),
    );
  });
});
