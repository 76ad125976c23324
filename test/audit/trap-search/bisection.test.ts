import { describe, expect, it } from 'vitest';
import { askTests } from '../../../src/audit/ask.ts';
import { pathBetween } from '../../../src/audit/path-between.ts';
import { Bisection } from '../../../src/audit/trap-search/bisection.ts';
import type { Input, Outcome } from '../../../src/contracts.ts';

const tensor = (...data: number[]): Input => ({
  shape: [data.length],
  data: Float32Array.from(data),
});
const first = (input: Input) => (typeof input === 'string' ? Number.NaN : input.data[0]!);

async function search(run: Bisection, answer: (input: Input) => Outcome): Promise<Input[]> {
  const asked: Input[] = [];
  await askTests({
    ask: async (probes) => {
      asked.push(...probes.map(({ input }) => input));
      return probes.map(({ input }) => answer(input));
    },
    runs: [run],
    runLog: { recall: () => undefined, record: async () => undefined },
    ...{ batchSize: 8, concurrency: 2, expected: 0 },
    signal: new AbortController().signal,
  });
  return asked;
}

const low = (input: Input) => ({ input, label: 'low' });
const high = (input: Input) => ({ input, label: 'high' });
const byThreshold = (threshold: number) => (input: Input) => ({
  answer: { label: first(input) < threshold ? 'low' : 'high' },
});

describe('Bisection', () => {
  it('finds a boundary between tensors to 2^-depth of their distance, with depth questions', async () => {
    const run = new Bisection(
      [{ from: low(tensor(0, 5)), to: high(tensor(1, 7)) }],
      ['low', 'high'],
      8,
    );
    const asked = await search(run, byThreshold(0.3141));
    expect(asked).toHaveLength(8);
    const [[before, behind]] = run.brackets as [readonly [Input, Input]];
    expect(first(before)).toBeLessThan(0.3141);
    expect(first(behind)).toBeGreaterThanOrEqual(0.3141);
    expect(first(behind) - first(before)).toBeCloseTo(2 ** -8, 6);
    expect(run.questions.map(({ input }) => input)).toEqual(asked);
    expect(run.evidence()).toMatchObject({ status: 'done', log10E: 0, probes: 8 });
  });

  it('asks the middles of all pairs in one block, and gives up those without an answer', async () => {
    const pairs = [0.2, 0.9].map((end) => ({ from: low(tensor(0)), to: high(tensor(end)) }));
    const run = new Bisection(pairs, ['low', 'high'], 5);
    expect(run.next()).toHaveLength(2);
    const asked = await search(run, (input) =>
      first(input) > 0.4 ? { missing: 'refused' } : byThreshold(0.05)(input),
    );
    expect(asked).toHaveLength(1 + 5);
    expect(run.questions).toHaveLength(5);
  });

  it('splices texts at word boundaries, in as many questions as the logarithm of their words', async () => {
    const words = (word: string) => Array.from({ length: 64 }, (_, at) => `${word}${at}`).join(' ');
    const run = new Bisection(
      [{ from: low(words('old')), to: high(words('new')) }],
      ['low', 'high'],
      3,
    );
    const count = (input: Input) => (String(input).match(/new/g) ?? []).length;
    const asked = await search(run, (input) => ({
      answer: { label: count(input) >= 21 ? 'high' : 'low' },
    }));
    expect(asked).toHaveLength(6);
    const [[before, behind]] = run.brackets as [readonly [Input, Input]];
    expect([count(before), count(behind)]).toEqual([20, 21]);
    for (const text of asked.map(String)) {
      expect(text.split(' ').every((word) => /^(old|new)\d+$/.test(word))).toBe(true);
      expect(text.split(' ')).toHaveLength(64);
    }
  });
});

describe('pathBetween', () => {
  it('joins texts without spaces without any', () => {
    const path = pathBetween('今日は天気がいい', '明日は雨が降る', 1)!;
    expect(String(path.at(Math.floor(path.length / 2)))).not.toMatch(/\s/);
    expect(path.at(0)).toBe('今日は天気がいい');
    expect(path.at(path.length)).toBe('明日は雨が降る');
  });

  it('knows none between a text and a tensor, or tensors of different shapes', () => {
    expect(pathBetween('a', tensor(1), 3)).toBeUndefined();
    expect(pathBetween(tensor(1, 2), tensor(1), 3)).toBeUndefined();
  });
});
