import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContextRule } from '../../../src/watermark/text/prfs/prf.ts';
import { RowSet } from '../../../src/watermark/text/row-set.ts';
import {
  PairCollector,
  type PairRules,
  type TokenText,
} from '../../../src/watermark/text/token-pairs.ts';

const sequence = (width: number): ContextRule => ({ width, reads: 'sequence' });
const rules = (changes: Partial<PairRules> = {}): PairRules => ({
  context: sequence(2),
  repeats: 'mark',
  vocabularySize: 100,
  ...changes,
});
const text = (tokens: readonly number[], promptLength = 0): TokenText => ({
  tokens: Int32Array.from(tokens),
  promptLength,
});

function collected(collector: PairCollector, given: TokenText): number[][] {
  const { pairs } = collector.collect(given);
  return Array.from({ length: pairs.count }, (_, row) => [
    ...pairs.contexts.subarray(row * pairs.width, (row + 1) * pairs.width),
    pairs.tokens[row]!,
  ]);
}

describe('collecting pairs', () => {
  it('pairs each token with the tokens before it, from the width on', () => {
    const collector = new PairCollector(rules());
    const { pairs, skipped } = collector.collect(text([1, 2, 3, 4]));
    expect(collected(new PairCollector(rules()), text([1, 2, 3, 4]))).toEqual([
      [1, 2, 3],
      [2, 3, 4],
    ]);
    expect(pairs.count).toBe(2);
    expect(skipped).toEqual({ 'context too short': 2 });
  });

  it('never scores the prompt, but reads it as context', () => {
    const collector = new PairCollector(rules());
    expect(collected(collector, text([1, 2, 3, 4], 3))).toEqual([[2, 3, 4]]);
    expect(new PairCollector(rules()).collect(text([1, 2, 3, 4], 3)).skipped).toEqual({
      prompt: 3,
    });
  });

  it('leaves the prompt out of contexts that read the output only, and pads them', () => {
    const padded: ContextRule = { width: 2, reads: 'output', padding: -1 };
    const collector = new PairCollector(rules({ context: padded }));
    expect(collected(collector, text([9, 9, 1, 2, 3], 2))).toEqual([
      [-1, -1, 1],
      [-1, 1, 2],
      [1, 2, 3],
    ]);
  });

  it('counts a pair once over all texts', () => {
    const collector = new PairCollector(rules());
    expect(collected(collector, text([1, 2, 3, 1, 2, 3]))).toHaveLength(3);
    expect(collector.collect(text([1, 2, 3])).skipped).toEqual({
      'context too short': 2,
      'repeated pair': 1,
    });
    expect(collected(collector, text([1, 2, 4]))).toEqual([[1, 2, 4]]);
  });

  it('counts once what the function reads alike, however long the context is', () => {
    const effectiveInputs: PairRules['effectiveInputs'] = (pairs) => ({
      width: 1,
      rows: Int32Array.from({ length: pairs.count }, (_, row) => pairs.contexts[row * 2 + 1]!),
    });
    const collector = new PairCollector(rules({ effectiveInputs }));
    expect(collected(collector, text([1, 5, 7, 2, 5, 7]))).toEqual([
      [1, 5, 7],
      [5, 7, 2],
      [7, 2, 5],
    ]);
  });

  it('leaves repeated contexts alone in the way that the marker does', () => {
    const tokens = [1, 2, 3, 1, 2, 4];
    const last = (repeats: PairRules['repeats'], promptLength: number) =>
      collected(new PairCollector(rules({ repeats })), text(tokens, promptLength)).at(-1);
    expect(last('mark', 0)).toEqual([1, 2, 4]);
    expect(last('turn', 0)).toEqual([3, 1, 2]);
    expect(last('turn', 3)).toEqual([1, 2, 4]);
    expect(last('all', 3)).toEqual([3, 1, 2]);
  });

  it('does not count contexts that the prompt contains when asked', () => {
    const copying = rules({ skipPromptContexts: true });
    const { pairs, skipped } = new PairCollector(copying).collect(text([1, 2, 3, 1, 2, 3], 3));
    expect(pairs.count).toBe(2);
    expect(skipped).toMatchObject({ 'context in prompt': 1 });
  });

  it('skips ids outside the vocabulary, in contexts too, and empty texts', () => {
    const { pairs, skipped } = new PairCollector(rules()).collect(text([1, 2, 100, 3, 4, -7]));
    expect(pairs.count).toBe(0);
    expect(skipped).toEqual({ 'context too short': 2, 'token out of range': 4 });
    expect(new PairCollector(rules()).collect(text([])).pairs.count).toBe(0);
    expect(new PairCollector(rules()).collect(text([1], 5)).skipped).toEqual({ prompt: 1 });
  });

  it('accounts for every token of any text, and for every distinct pair', () => {
    const ids = fc.array(fc.integer({ min: -2, max: 7 }), { maxLength: 60 });
    fc.assert(
      fc.property(ids, fc.nat(70), fc.nat(4), (tokens, promptLength, width) => {
        const collector = new PairCollector(rules({ context: sequence(width), vocabularySize: 6 }));
        const { pairs, skipped } = collector.collect(text(tokens, promptLength));
        const all = Object.values(skipped).reduce((sum, count) => sum + count, pairs.count);
        expect(all).toBe(tokens.length);
        const distinct = new Set<string>();
        for (let at = Math.max(width, promptLength); at < tokens.length; at++) {
          const row = tokens.slice(at - width, at + 1);
          if (row.every((id) => id >= 0 && id < 6)) distinct.add(row.join());
        }
        expect(pairs.count).toBe(distinct.size);
      }),
    );
  });
});

describe('a set of rows', () => {
  it('agrees with a set of strings, through growth', () => {
    const rows = new RowSet();
    const expected = new Set<string>();
    let state = 7;
    for (let turn = 0; turn < 20_000; turn++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const row = Int32Array.of(state >>> 24, (state >>> 16) & 63, -((state >>> 8) & 3));
      expect(rows.has(row, 0, 3)).toBe(expected.has(row.join()));
      expect(rows.add(row, 0, 3)).toBe(!expected.has(row.join()));
      expected.add(row.join());
    }
    rows.clear();
    expect(rows.add(Int32Array.of(0, 0, 0), 0, 3)).toBe(true);
    expect(rows.add(Int32Array.of(0, 0, 0), 0, 3)).toBe(false);
  });
});
