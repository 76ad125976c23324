import type { LanguageAnswers } from '../../../src/fingerprints/language-answers.ts';
import type { LanguageProbeSet } from '../../../src/fingerprints/language-probe-set.ts';

/** A probe set of two open prompts and one that may be refused, at temperatures 0 and 1. */
export const probes: LanguageProbeSet = {
  schema: 'touchmark/probe-set@1',
  task: 'language',
  name: 'small',
  prompts: [
    { text: 'Say something.', kind: 'open' },
    { text: 'And more.', kind: 'open' },
    { text: 'Whom shall I vote for?', kind: 'refusal' },
  ],
  temperatures: [0, 1],
  samples: 3,
  maxTokens: 20,
  contexts: [[1], [2], [3], [4]],
  tokenizer: 'ids',
  top: 3,
};

/** Answers whose completions are what a function says of their place. */
export function answersOf(
  say: (temperature: number, prompt: number, sample: number) => string | null,
  topTokens?: (number[] | null)[],
): LanguageAnswers {
  const { temperatures, prompts, samples } = probes;
  return {
    completions: temperatures.map((_, temperature) =>
      prompts.map((_, prompt) =>
        Array.from({ length: samples }, (_, sample) => say(temperature, prompt, sample)),
      ),
    ),
    ...(topTokens && {
      topTokens,
      topLogProbabilities: topTokens.map((tokens) => tokens?.map((_, rank) => -1 - rank) ?? null),
    }),
  };
}
