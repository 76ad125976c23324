import { describe, expect, it } from 'vitest';
import { languageProbeSetSchema } from '../../src/fingerprints/language-probe-set.ts';
import { languageProbes } from '../../src/fingerprints/language-probes.ts';
import { probeSetId } from '../../src/fingerprints/probe-set.ts';

describe('the probe set for language models', () => {
  it('keeps its name, as fingerprints that were taken with it depend on it', () => {
    expect(languageProbeSetSchema.parse(languageProbes)).toEqual(languageProbes);
    expect(probeSetId(languageProbes)).toBe('probes-e245110d9494b3ee');
  });

  it('asks each question once', () => {
    const texts = languageProbes.prompts.map(({ text }) => text);
    expect(new Set(texts).size).toBe(32);
    expect(languageProbes.prompts.filter(({ kind }) => kind === 'refusal')).toHaveLength(8);
  });
});

describe('a probe set', () => {
  it.each([
    ['a temperature twice', { temperatures: [0, 0.7, 0] }],
    ['token ids of nobody', { contexts: [[1, 2]] }],
    ['no prompt', { prompts: [] }],
  ])('with %s is none', (_, change) => {
    expect(languageProbeSetSchema.safeParse({ ...languageProbes, ...change }).success).toBe(false);
  });
});
