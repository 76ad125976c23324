import { expect, it } from 'vitest';
import { temperatureVariation } from '../../../src/fingerprints/quirks/temperature-variation.ts';
import { answersOf, probes } from './language-answers.ts';

const { extract, compare } = temperatureVariation;

/** At temperature 0 the same words, at 1 words that no two completions share. */
const steady = answersOf((temperature, prompt, sample) =>
  temperature === 0 ? 'red green blue' : ['a b', 'c d', 'e f'][sample]! + prompt,
);

it('reads differing pairs, distinct words and their pairs, and overlap at each temperature', () => {
  expect(Array.from(extract(steady, probes)!)).toEqual([0, 0.5, 0.5, 1, 1, 1, 1, 0]);
});

it('counts the words of both completions together, and what both have once', () => {
  const answers = answersOf((_, __, sample) => ['one two', 'one three', null][sample]!);
  const shares = Array.from(extract(answers, probes)!.subarray(0, 4));
  expect(shares).toEqual([1, 3 / 4, 1, 1 / 3]);
});

it('does not change when completions are missing, as long as two of a prompt remain', () => {
  const partial = answersOf((temperature, prompt, sample) =>
    (prompt + sample) % 3 === 0 || prompt === 2
      ? null
      : steady.completions[temperature]![prompt]![sample]!,
  );
  expect(extract(partial, probes)).toEqual(extract(steady, probes));
});

it('leaves out a temperature that one of two models did not answer twice', () => {
  const first = answersOf((temperature, prompt, sample) =>
    temperature === 1 && sample > 0 ? null : steady.completions[temperature]![prompt]![sample]!,
  );
  const [one, two] = [first, steady].map((answers) => extract(answers, probes)!);
  expect(Array.from(one!.subarray(4))).toEqual([-1, -1, -1, -1]);
  expect(compare(one!, two!)).toBe(1);
  const wild = answersOf((_, prompt, sample) => `${prompt} ${sample} ${'xyz'[sample]}`);
  expect(compare(one!, extract(wild, probes)!)).toBeLessThan(0);
});

it('is undefined when no prompt was completed twice', () => {
  const once = answersOf((_, __, sample) => (sample === 0 ? 'only this' : null));
  expect(extract(once, probes)).toBeUndefined();
});
