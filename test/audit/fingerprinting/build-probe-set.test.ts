import { describe, expect, it } from 'vitest';
import { buildProbeSet } from '../../../src/audit/fingerprinting/build-probe-set.ts';
import { classifierProbeSetSchema } from '../../../src/fingerprints/probe-set.ts';

const plain = Array.from({ length: 90 }, (_, index) => ({ input: `the same old words ${index}` }));
const odd = Array.from({ length: 10 }, (_, index) => ({ input: `ξψ∂ƒ ${'Ω'.repeat(index + 1)}` }));
const options = {
  name: 'made up',
  labels: ['a', 'b', 'c'],
  candidates: [...plain, ...odd],
  count: 100,
  pairs: 20,
  seed: 'test',
};

describe('buildProbeSet', () => {
  it('is a valid set, the same for the same seed, without doubles', () => {
    const set = buildProbeSet({ ...options, candidates: [...options.candidates, ...plain] });
    expect(classifierProbeSetSchema.parse(set)).toEqual(set);
    expect(set).toEqual(
      buildProbeSet({ ...options, candidates: [...options.candidates, ...plain] }),
    );
    expect(new Set(set.questions.map(({ input }) => input)).size).toBe(100);
    expect(set.pairs).toHaveLength(20);
    const other = buildProbeSet({ ...options, seed: 'other' });
    expect(other.questions.map(({ input }) => input)).not.toEqual(
      set.questions.map(({ input }) => input),
    );
  });

  it('marks the fifth that is least like the others as rare', () => {
    const { questions } = buildProbeSet(options);
    const rare = questions.filter(({ slices = [] }) => slices.includes('rare'));
    expect(rare).toHaveLength(20);
    const oddOnes = questions.filter(({ input }) => String(input).startsWith('ξ'));
    expect(oddOnes.every(({ slices = [] }) => slices.includes('rare'))).toBe(true);
  });

  it('marks the fifth on which votes differ most as hard, expects the plurality, pairs across it', () => {
    const votes = (inputs: readonly unknown[]) =>
      inputs.map((input) => {
        const number = String(input).length % 3;
        const split = String(input).startsWith('ξ');
        return [0, 1, 2].map((label) =>
          split ? 3 + (label === number ? 1 : 0) : label === number ? 10 : 0,
        );
      });
    const { questions, pairs } = buildProbeSet({ ...options, votes });
    expect(questions.every(({ input, expected }) => expected === String(input).length % 3)).toBe(
      true,
    );
    const hard = questions.filter(({ slices = [] }) => slices.includes('hard'));
    expect(hard).toHaveLength(20);
    expect(hard.filter(({ input }) => String(input).startsWith('ξ'))).toHaveLength(10);
    expect(pairs.every(([from, to]) => questions[from]!.expected !== questions[to]!.expected)).toBe(
      true,
    );
  });

  it('takes what is known to be right before what models vote for', () => {
    const known = options.candidates.map((each) => ({ ...each, expected: 2 }));
    const votes = (inputs: readonly unknown[]) => inputs.map(() => [9, 0, 0]);
    const { questions } = buildProbeSet({ ...options, candidates: known, votes });
    expect(questions.every(({ expected }) => expected === 2)).toBe(true);
  });
});
