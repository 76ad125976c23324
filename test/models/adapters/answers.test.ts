import { describe, expect, test } from 'vitest';
import { AnswerReader, type WireAnswers } from '../../../src/models/adapters/answers.ts';

const reader = (more: object = {}) =>
  new AnswerReader({ labels: ['en', 'no', 'de'], address: 'http://host/x', ...more });

describe('probabilities', () => {
  test('are reordered, merged and projected, and what is outside is counted', () => {
    const given = reader();
    const labels = ['deu', 'nn', 'fr', 'nb', 'eng'];
    const probabilities = [
      [0.1, 0.2, 0.05, 0.25, 0.4],
      [0, 0, 0.75, 0, 0.25],
    ];
    expect(given.read({ labels, probabilities }, 2)).toEqual([
      { answer: { label: 'en', probabilities: [0.4, 0.45, 0.1] } },
      { answer: { label: 'fr', probabilities: [0.25, 0, 0] } },
    ]);
    expect(given.outside).toEqual({ answers: 1, mass: 0.8 });
  });

  test('are 0 for labels of ours that the suspect lacks', () => {
    expect(reader().read({ labels: ['de', 'en'], probabilities: [[0.3, 0.7]] }, 1)).toEqual([
      { answer: { label: 'en', probabilities: [0.7, 0, 0.3] } },
    ]);
  });

  test('belong to the configured labels when the suspect names none', () => {
    const given = reader({ suspectLabels: ['no', 'en'] });
    expect(given.read({ probabilities: [[0.3, 0.7]] }, 1)).toMatchObject([
      { answer: { label: 'en', probabilities: [0.7, 0.3, 0] } },
    ]);
  });

  test('may be off by rounding, and are kept within [0, 1]', () => {
    const probabilities = [[1 + 5e-7, -5e-7, 0]];
    expect(reader().read({ labels: ['en', 'no', 'de'], probabilities }, 1)).toMatchObject([
      { answer: { probabilities: [1, 0, 0] } },
    ]);
    const rounded = [[0.333, 0.333, 0.3335]];
    expect(() =>
      reader().read({ labels: ['a', 'b', 'c'], probabilities: rounded }, 1),
    ).not.toThrow();
  });

  test('are left out on request', () => {
    const wire = { labels: ['de', 'en'], probabilities: [[0.3, 0.7]] };
    expect(reader({ labelsOnly: true }).read(wire, 1)).toEqual([{ answer: { label: 'en' } }]);
  });
});

describe('answers', () => {
  test('are mapped, refused when null, and outside our labels kept as they are', () => {
    const given = reader();
    expect(given.read({ answers: ['eng', null, 'kl\u001bingon'] }, 3)).toEqual([
      { answer: { label: 'en' } },
      { missing: 'refused' },
      { answer: { label: 'kl ingon' } },
    ]);
    expect(given.outside).toEqual({ answers: 1, mass: 0 });
  });

  test('win over the arg-max; a null row is a refusal', () => {
    const wire = { labels: ['en', 'no'], probabilities: [[0.9, 0.1], null], answers: ['no', 'en'] };
    expect(reader().read(wire, 2)).toEqual([
      { answer: { label: 'no', probabilities: [0.9, 0.1, 0] } },
      { missing: 'refused' },
    ]);
  });
});

describe('a lying suspect is told by row, value and what to do', () => {
  const labels = ['en', 'no'];
  const softmax =
    'probabilities are numbers from 0 to 1: put a softmax behind logits, divide percentages by 100';
  const protocol = 'check that the address speaks this protocol';
  const normalise = 'have the suspect give all of its labels, normalised, or read only its answers';
  const every = 'it must answer every input, in order; try a batch size of 1';
  const row = (...second: readonly unknown[]): WireAnswers => ({
    labels,
    probabilities: [[0.5, 0.5], second],
  });
  test.each<[string, WireAnswers, string, string]>([
    ['negative', row(1.2, -0.2), 'gives 1.2 as the probability of "en" in row 1', softmax],
    [
      'just negative',
      row(1, -2e-6),
      'gives -0.000002 as the probability of "no" in row 1',
      softmax,
    ],
    ['text', row(0.5, '0.5'), 'gives "0.5" as the probability of "no" in row 1', softmax],
    ['null', row(null, 1), 'gives null as the probability of "en" in row 1', softmax],
    [
      'infinite',
      row(0, Number.POSITIVE_INFINITY),
      'gives Infinity as the probability of "no" in row 1',
      softmax,
    ],
    ['NaN', row(Number.NaN, 1), 'gives NaN as the probability of "en" in row 1', softmax],
    ['nested', row([0.5], 0.5), 'gives an array of 1 as the probability of "en" in row 1', softmax],
    ['below 1', row(0.5, 0.25), 'gives probabilities that sum to 0.75 in row 1', normalise],
    ['above 1', row(1, 0.5), 'gives probabilities that sum to 1.5 in row 1', normalise],
    ['all zero', row(0, 0), 'gives probabilities that sum to 0 in row 1', normalise],
    ['too short', row(1), 'holds 1 probabilities in row 1 for 2 labels', protocol],
    ['too long', row(1, 0, 0), 'holds 3 probabilities in row 1 for 2 labels', protocol],
    [
      'a row less',
      { labels, probabilities: [[1, 0]] },
      'holds 1 rows of probabilities for 2 inputs',
      every,
    ],
    ['an answer more', { answers: ['a', 'b', 'c'] }, 'holds 3 rows of answers for 2 inputs', every],
    ['nothing', {}, 'holds neither probabilities nor answers', protocol],
    [
      'no labels',
      { probabilities: [[1], [1]] },
      'holds probabilities but not the labels they belong to',
      "list the suspect's labels, in its order, in the settings of this suspect",
    ],
  ])('%s', (_, wire, what, hint) => {
    const message = `the answer of the model at http://host/x ${what}`;
    expect(() => reader().read(wire, 2)).toThrow(
      expect.objectContaining({ code: 'SUSPECT_ANSWER_INVALID', message, hint, exitCode: 3 }),
    );
  });
});
