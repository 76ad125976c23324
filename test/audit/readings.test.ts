import { describe, expect, it } from 'vitest';
import { firstOccurrencesOfContexts } from '../../src/audit/readings.ts';
import type { ContextRule, TokenPairs } from '../../src/watermark/text/prfs/prf.ts';

const rule: ContextRule = { width: 2, reads: 'sequence' };
const text = (tokens: readonly number[], promptLength: number) => ({
  tokens: Int32Array.from(tokens),
  promptLength,
});

function readings(texts: ReturnType<typeof text>[], before = 3, most = 100, given = rule) {
  return firstOccurrencesOfContexts(texts, { context: given }, before, most).map((tokens) => [
    ...tokens,
  ]);
}

describe('readings of the log', () => {
  it('are the tokens before the first occurrence of each context in an output', () => {
    expect(readings([text([1, 2, 3, 4, 1, 2, 9], 2)])).toEqual([
      [1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 1],
    ]);
  });

  it('leave out contexts that occurred before, in other texts and in prompts too', () => {
    expect(readings([text([1, 2, 3], 2), text([5, 1, 2, 3], 2)])).toEqual([
      [1, 2],
      [5, 1],
    ]);
    expect(readings([text([1, 2, 3, 4], 4), text([1, 2, 3, 4, 5], 2)])).toEqual([
      [1, 2, 3, 4].slice(-3),
    ]);
  });

  it('stop at the most that are wanted, and skip padded contexts', () => {
    expect(readings([text([1, 2, 3, 4, 5, 6], 2)], 3, 2)).toHaveLength(2);
    const padded: ContextRule = { width: 2, reads: 'output', padding: -1 };
    expect(readings([text([8, 8, 1, 2, 3], 2)], 3, 9, padded)).toEqual([[8, 1, 2]]);
  });

  it('go by what the function reads of a context', () => {
    const lastToken = {
      context: rule,
      effectiveInputs: ({ count, contexts }: TokenPairs) => ({
        width: 1,
        rows: Int32Array.from({ length: count }, (_, row) => contexts[2 * row + 1]!),
      }),
    };
    const log = [text([1, 2, 3, 9, 2, 4, 3, 5], 2)];
    expect(firstOccurrencesOfContexts(log, lastToken, 2, 9).map((tokens) => [...tokens])).toEqual([
      [1, 2],
      [2, 3],
      [3, 9],
      [2, 4],
    ]);
    expect(firstOccurrencesOfContexts(log, { ...lastToken, inputHoldsToken: true }, 2, 9)).toEqual(
      [],
    );
  });
});
