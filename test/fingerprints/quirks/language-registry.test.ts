import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LanguageAnswers } from '../../../src/fingerprints/language-answers.ts';
import { languageQuirks } from '../../../src/fingerprints/quirks/language-registry.ts';
import { answersOf, probes } from './language-answers.ts';

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '...',
    '\u0301',
    '12:30',
    '\ud800',
    "I'm sorry, but I can't help with that. However, I can try.",
    'The sky is blue, and the sea is not. Who knows?',
    '空は青い。',
  ),
  fc.string({ maxLength: 60, unit: 'binary' }),
);
const list = fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }));
const someAnswers: fc.Arbitrary<LanguageAnswers> = fc
  .record({
    texts: fc.array(fc.option(text), { minLength: 18, maxLength: 18 }),
    lists: fc.option(fc.array(list, { minLength: 4, maxLength: 4 }), { nil: undefined }),
  })
  .map(({ texts, lists }) =>
    answersOf(
      (temperature, prompt, sample) => texts[temperature * 9 + prompt * 3 + sample]!,
      lists,
    ),
  );

describe.each(languageQuirks)('$name, whatever the answers', ({ extract, compare }) => {
  it('is finite numbers, as many for every model, or undefined', () => {
    const lengths = new Set<number>();
    fc.assert(
      fc.property(someAnswers, (answers) => {
        const numbers = extract(answers, probes);
        if (numbers === undefined) return;
        lengths.add(numbers.length);
        expect(numbers.every(Number.isFinite)).toBe(true);
      }),
    );
    expect(lengths.size).toBe(1);
  });

  it('compares to 1 with itself, and with others alike in both directions', () => {
    fc.assert(
      fc.property(someAnswers, someAnswers, (one, two) => {
        const [left, right] = [one, two].map((answers) => extract(answers, probes));
        if (left !== undefined) expect(compare(left, left.slice())).toBe(1);
        if (left === undefined || right === undefined) return;
        const likeness = compare(left, right);
        expect(likeness).toBeGreaterThanOrEqual(-2);
        expect(likeness).toBeLessThanOrEqual(1);
        expect(compare(right, left)).toBeCloseTo(likeness, 12);
      }),
    );
  });

  it('is undefined when nothing was answered', () => {
    expect(
      extract(
        answersOf(() => null),
        probes,
      ),
    ).toBeUndefined();
    const none = [null, null, null, null];
    expect(
      extract(
        answersOf(() => null, none),
        probes,
      ),
    ).toBeUndefined();
  });
});

describe('the quirks of language models', () => {
  it('have names of their own', () => {
    expect(new Set(languageQuirks.map(({ name }) => name)).size).toBe(languageQuirks.length);
  });
});
