import { expect, it } from 'vitest';
import { openingPhrases } from '../../../src/fingerprints/quirks/opening-phrases.ts';
import { answersOf, probes } from './language-answers.ts';

const { extract, compare } = openingPhrases;
const openings = ['Well, let me see', 'Certainly! Here is', 'It depends on'];
const likeness = (one: (prompt: number) => string, two: (prompt: number) => string) => {
  const [left, right] = [one, two].map(
    (say) =>
      extract(
        answersOf((_, prompt, sample) => `${say(prompt)} ${sample}`),
        probes,
      )!,
  );
  return compare(left!, right!);
};

it('does not look beyond the third word, nor at case and punctuation', () => {
  const ours = (prompt: number) => `${openings[prompt]!} what we have here`;
  expect(likeness(ours, (prompt) => `"${openings[prompt]!.toUpperCase()}" other things`)).toBe(1);
});

it('is the less alike the fewer first words are the same, and none is about 0', () => {
  const ours = (prompt: number) => openings[prompt]!;
  const two = likeness(
    ours,
    (prompt) => ['Well, let us', 'Certainly! Here are', 'It depends if'][prompt]!,
  );
  const one = likeness(ours, (prompt) => ['Well, we see', 'Certainly, a house', 'It is'][prompt]!);
  const none = likeness(ours, (prompt) => ['Once upon a', 'No', 'Sure thing, my'][prompt]!);
  expect(two).toBeCloseTo(2 / 3, 1);
  expect(one).toBeCloseTo(1 / 3, 1);
  expect(Math.abs(none)).toBeLessThan(0.05);
});

it('tells after which prompt a model begins so', () => {
  const turned = (prompt: number) => openings[(prompt + 1) % 3]!;
  expect(likeness((prompt) => openings[prompt]!, turned)).toBeLessThan(0.05);
});
