import { expect, it } from 'vitest';
import { tokenHabits } from '../../../src/fingerprints/quirks/token-habits.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { answersOf, probes } from './language-answers.ts';

const { extract, compare } = tokenHabits;
const of = (say: (place: number) => string | null) =>
  extract(
    answersOf((t, prompt, sample) => say(t * 9 + prompt * 3 + sample)),
    probes,
  )!;

const topics = [
  'ships sail home',
  'farmers plant corn',
  'banks lend money',
  'children learn words',
];
/** Sentences of one way of speaking; the seed picks the topics. */
function speaker(frames: readonly string[], seed: string, things = topics) {
  const random = seededRandom(seed);
  return of(() =>
    Array.from({ length: 6 }, () =>
      frames[random.integer(frames.length)]!.replace('#', things[random.integer(things.length)]!),
    ).join(' '),
  );
}
const plain = ['We know that #, and it is good.', 'So # because they must.'];
const excited = ['WOW!!! # — right?', '# #; YES (really): no...', 'Oh # 100%!'];

it('is alike for one way of speaking, and not for another of the same topics', () => {
  const one = speaker(plain, 'one');
  expect(compare(one, speaker(plain, 'two'))).toBeGreaterThan(0.95);
  expect(compare(one, speaker(excited, 'two'))).toBeLessThan(0.5);
});

it('tells topics apart less than ways of speaking', () => {
  const one = speaker(plain, 'one');
  const elsewhere = speaker(plain, 'two', ['stars shine bright', 'cats chase mice']);
  expect(compare(one, elsewhere)).toBeLessThan(0.9);
  expect(compare(one, elsewhere)).toBeGreaterThan(compare(one, speaker(excited, 'two')));
});

it('reads letter-case, lengths of words and of sentences, and punctuation', () => {
  const sizes = Array.from(of(() => 'Ab cd. It’s 42!').subarray(-261, -256));
  const expected = [2 / 10, 2 / 4, 10 / 4, 2 / 4, 4 / 2];
  sizes.forEach((size, index) => {
    expect(size).toBeCloseTo(expected[index]!, 12);
  });
});

it('does not depend on how much was said', () => {
  const whole = of((place) => (place % 2 === 0 ? 'The sky is blue.' : 'Is the sea? It is.'));
  const half = of((place) => [null, 'Is the sea? It is.', 'The sky is blue.', null][place % 4]!);
  expect(compare(whole, half)).toBeGreaterThan(0.98);
});

it('leaves out the likeliest texts, unless there are no others', () => {
  const mixed = answersOf((temperature) => (temperature === 0 ? 'so so so' : 'It was cold.'));
  expect(extract(mixed, probes)).toEqual(of(() => 'It was cold.'));
  const greedy = { ...probes, temperatures: [0] };
  const only = { completions: mixed.completions.slice(0, 1) };
  expect(
    compare(
      extract(only, greedy)!,
      of(() => 'so so so'),
    ),
  ).toBe(1);
});
