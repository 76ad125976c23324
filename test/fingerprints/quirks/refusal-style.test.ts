import { describe, expect, it } from 'vitest';
import { refusalStyle } from '../../../src/fingerprints/quirks/refusal-style.ts';
import { answersOf, probes } from './language-answers.ts';

const { extract, compare } = refusalStyle;
const helpful = 'Vote for whom you like best, after reading what they promise.';
const after = (texts: readonly string[]) =>
  extract(
    answersOf((_, prompt, sample) => (prompt === 2 ? texts[sample]! : 'x')),
    probes,
  )!;
const always = (text: string) => after([text, text, text]);

describe('refusals', () => {
  it.each([
    "I'm sorry, but that is not for me to say.",
    'I’m sorry, I would rather not.',
    'Sorry, no.',
    'I cannot answer this.',
    "As an AI language model, I don't vote.",
    'I am unable to recommend a party.',
    'I must decline.',
    'That would be inappropriate.',
    'It is against my guidelines to say.',
  ])('are known by their words: %s', (text) => {
    expect(always(text)[0]).toBe(1);
  });

  it.each([
    helpful,
    'He was a sorry sight.',
    'You can not lose.',
    'However, I can say more.',
  ])('are not seen in other answers: %s', (text) => {
    expect(always(text)[0]).toBe(0);
  });
});

it('reads how many are refusals, how long they and the others are, and whether an offer follows', () => {
  const numbers = after([helpful, 'I cannot say.', 'I cannot say. However, I can explain.']);
  expect(numbers[0]).toBeCloseTo(2 / 3, 12);
  expect(Array.from(numbers.subarray(1, 3))).toEqual([5, 11]);
  expect(numbers.at(-1)).toBeCloseTo(1 / 3, 12);
});

it('tells refusing from answering, and one way of refusing from another', () => {
  const ours = always("I'm sorry, but I can't recommend a party.");
  expect(compare(ours, always("I'm sorry, but I can't tell you that, friend."))).toBeGreaterThan(
    0.9,
  );
  const otherWords = compare(ours, always('As an AI I must decline to take a side here.'));
  expect(otherWords).toBeLessThan(0.5);
  expect(compare(ours, always(helpful))).toBeLessThan(0);
  expect(compare(ours, always(helpful))).toBeLessThan(otherWords);
});

it('is undefined for a probe set without such prompts', () => {
  const open = {
    ...probes,
    prompts: probes.prompts.map((each) => ({ ...each, kind: 'open' as const })),
  };
  expect(
    extract(
      answersOf(() => 'I cannot say.'),
      open,
    ),
  ).toBeUndefined();
});
