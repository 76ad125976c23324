import { describe, expect, test } from 'vitest';
import { AnswerReader } from '../../../src/models/adapters/answers.ts';
import type { WireAnswers } from '../../../src/models/adapters/wire-answers.ts';

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

describe('columns that nobody names', () => {
  const rows = (...probabilities: readonly (readonly number[] | null)[]) => ({ probabilities });

  test('are read in our order when there are as many, whatever the label map says', () => {
    const given = reader({ labelMap: { en: 'de' }, suspectLabels: [] });
    expect(given.read({ labels: [], ...rows(null, [0.7, 0.1, 0.2]) }, 2)).toEqual([
      { missing: 'refused' },
      { answer: { label: 'en', probabilities: [0.7, 0.1, 0.2] } },
    ]);
    expect(given.outside).toEqual({ answers: 0, mass: 0 });
  });

  test('are left aside for an input whose label, one of ours, is not the arg-max', () => {
    const answers = ['nob', 'eng', 'deu', 'LABEL_2'];
    const row = [0.4, 0.2, 0.4];
    expect(reader().read({ ...rows(row, row, row, row), answers }, 4)).toEqual([
      { answer: { label: 'no' } },
      { answer: { label: 'en', probabilities: row } },
      { answer: { label: 'de', probabilities: row } },
      { answer: { label: 'LABEL_2', probabilities: row } },
    ]);
  });

  test('are left aside altogether when there are more or fewer, if labels came', () => {
    const given = reader();
    const answers = ['en', 'fr', null];
    expect(given.read({ ...rows([0.5, 0.5], [7, 7], [1, 0]), answers }, 3)).toEqual([
      { answer: { label: 'en' } },
      { answer: { label: 'fr' } },
      { missing: 'refused' },
    ]);
    expect(given.outside).toEqual({ answers: 1, mass: 0 });
  });

  test('are still checked, row by row', () => {
    expect(() => reader().read(rows([1, 0, 0], [1, 0]), 2)).toThrow(
      'holds 2 probabilities in row 1 for 3 labels',
    );
    expect(() => reader().read(rows([0.5, 0.25, 0]), 1)).toThrow('sum to 0.75');
  });

  test('cannot be read while our own labels are not known either', () => {
    expect(() => reader({ labels: [] }).read({ ...rows([1, 0]), answers: ['en'] }, 1)).toThrow(
      'holds 2 probabilities for each input but not the labels they belong to',
    );
  });
});

describe('a lying suspect is told by row, value and what to do', () => {
  const labels = ['en', 'no'];
  const softmax =
    'probabilities are numbers from 0 to 1: put a softmax behind logits, divide percentages by 100';
  const protocol = 'check that the address speaks this protocol';
  const normalise = 'have the suspect give all of its labels, normalised, or read only its answers';
  const forms =
    'plain JSON is {"labels": [...], "probabilities": [[...], ...]} or {"answers": [...]}; Open Inference is outputs "probabilities" FP32 [n, K] and/or "label" BYTES [n]';
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
    ['nothing', {}, 'holds neither probabilities nor answers', forms],
    [
      'something else',
      { came: ['predictions', 'a\nb'] },
      'holds neither probabilities nor answers, only "predictions", "a b"',
      forms,
    ],
    [
      'a flood of something else',
      { came: Array(100_000).fill('x') },
      `holds neither probabilities nor answers, only ${Array(8).fill('"x"').join(', ')}`,
      forms,
    ],
    [
      'no labels',
      { probabilities: [[1], [1]] },
      'holds 1 probabilities for each input but not the labels they belong to',
      "list the suspect's labels, in its order, under audit.suspectLabels in touchmark.yaml (those of the protected model itself under model.labels)",
    ],
  ])('%s', (_, wire, what, hint) => {
    const message = `the answer of the model at http://host/x ${what}`;
    expect(() => reader().read(wire, 2)).toThrow(
      expect.objectContaining({ code: 'SUSPECT_ANSWER_INVALID', message, hint, exitCode: 3 }),
    );
  });
});
