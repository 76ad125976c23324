import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/contracts.ts';
import {
  AnswerShapeObserver,
  decimalsOf,
  describeAnswerShape,
} from '../../../src/models/adapters/answer-shape.ts';
import { AnswerReader } from '../../../src/models/adapters/answers.ts';
import type { WireAnswers } from '../../../src/models/adapters/wire-answers.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

const random = seededRandom('answer-shape');
const uniform = () => random.uniform();

function softmaxRow(width: number): number[] {
  const weights = Array.from({ length: width }, () => Math.exp(4 * uniform()));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
const rowsOf = (count: number, width: number) =>
  Array.from({ length: count }, () => softmaxRow(width));
const labels = Array.from({ length: 24 }, (_, index) => `label-${index}`);

function shapeOf(wire: WireAnswers, inputs: number) {
  const reader = new AnswerReader({ labels, address: 'http://host/x' });
  const outcomes = reader.read(wire, inputs);
  return { outcomes, shape: reader.shape, outside: reader.outside };
}

test.each([
  [[0, 1], 0],
  [[0.5, 0.25], 2],
  [[0.123456, 0.5], 6],
  [[1 / 3], undefined],
  [[Math.fround(0.123), Math.fround(0.877)], 3],
  [[], 0],
])('decimalsOf(%j) is %j', (values, decimals) => {
  expect(decimalsOf(values)).toBe(decimals);
});

describe('a suspect that gives what it has', () => {
  test('shows nothing out of the ordinary, as 64-bit floats or as 32-bit ones', () => {
    for (const cast of [(x: number) => x, Math.fround]) {
      const probabilities = rowsOf(50, 24).map((row) => row.map(cast));
      const { shape } = shapeOf({ labels, probabilities }, 50);
      expect(shape).toEqual({ samples: 50 });
      expect(describeAnswerShape(shape)).toEqual([]);
    }
  });

  test('is not watched for ever', () => {
    const observer = new AnswerShapeObserver();
    for (let count = 0; count < 1500; count += 1)
      observer.observe({ row: softmaxRow(3), named: false, agrees: true });
    expect(observer.shape()).toEqual({ samples: 1000 });
  });
});

describe('a suspect that rounds', () => {
  test.each([2, 3, 4])('to %i decimals is read and recognised', (decimals) => {
    const step = 10 ** -decimals;
    const probabilities = rowsOf(200, 24).map((row) =>
      row.map((value) => Number((Math.round(value / step) * step).toFixed(decimals))),
    );
    const sums = probabilities.map((row) => row.reduce((sum, value) => sum + value, 0));
    const { shape, outcomes } = shapeOf({ labels, probabilities }, 200);
    expect(shape).toEqual({ roundedTo: decimals, samples: 200 });
    expect(outcomes[0]).toMatchObject({ answer: { probabilities: probabilities[0] } });
    if (decimals === 2)
      expect(Math.max(...sums.map((sum) => Math.abs(sum - 1)))).toBeGreaterThan(0.01);
    expect(describeAnswerShape(shape)).toEqual([
      `It rounds probabilities to ${decimals} decimals.`,
    ]);
  });

  test('down is read as well', () => {
    const probabilities = rowsOf(50, 24).map((row) => row.map((x) => Math.floor(x * 100) / 100));
    const lowest = Math.min(...probabilities.map((row) => row.reduce((sum, x) => sum + x, 0)));
    expect(lowest).toBeLessThan(0.92);
    expect(shapeOf({ labels, probabilities }, 50).shape.roundedTo).toBe(2);
  });

  test('is still held to what rounding explains', () => {
    const named = labels.slice(0, 3);
    const read = (row: readonly number[]) =>
      shapeOf({ labels: named, probabilities: [row] }, 1).outcomes;
    expect(read([0.33, 0.33, 0.33])).toHaveLength(1);
    expect(() => read([0.33, 0.33, 0.3])).toThrow('sum to 0.96');
    expect(() => read([0.34, 0.34, 0.35])).toThrow('sum to 1.03');
    expect(() => read([0.9, 0.3, 0])).toThrow('sum to 1.2');
    expect(read([0.5, 0.4, 0.2])).toHaveLength(1);
    expect(() => read([0, 0, 0])).toThrow('sum to 0 ');
    expect(() => read([0.3333333, 0.3333333, 0.3])).toThrow('sum to 0.96666');
  });
});

describe('a suspect that names its top labels only', () => {
  const rows = rowsOf(40, 24).map((row) => {
    const entries = row.map((value, index) => [labels[index]!, value] as const);
    return new Map(entries.sort(([, a], [, b]) => b - a).slice(0, 3));
  });

  test('is read, the rest of the mass outside, and recognised', () => {
    const { outcomes, shape, outside } = shapeOf({ named: rows }, 40);
    expect(shape).toEqual({ topOnly: 3, samples: 40 });
    const hidden = rows.map((row) => 1 - [...row.values()].reduce((sum, value) => sum + value, 0));
    expect(outside).toEqual({
      answers: 0,
      mass: expect.closeTo(
        hidden.reduce((sum, value) => sum + value, 0),
        9,
      ),
    });
    const [[top, value]] = [...rows[0]!] as [[string, number]];
    expect(outcomes[0]).toMatchObject({ answer: { label: top } });
    const { probabilities = [] } = (outcomes[0] as { answer: Answer }).answer;
    expect(probabilities[labels.indexOf(top)]).toBe(value);
    expect(probabilities.filter((each) => each === 0)).toHaveLength(21);
    expect(describeAnswerShape(shape)).toEqual([
      'It gives the probabilities of the top 3 labels only.',
    ]);
  });

  test('with zeros in the place of the others is recognised too', () => {
    const probabilities = rows.map((row) => {
      const total = [...row.values()].reduce((sum, value) => sum + value, 0);
      return labels.map((label) => (row.get(label) ?? 0) / total);
    });
    expect(shapeOf({ labels, probabilities }, 40).shape).toEqual({ topOnly: 3, samples: 40 });
  });

  test('may refuse, may decide otherwise, and is held to at most 1', () => {
    const reader = new AnswerReader({ labels: ['en', 'no'], address: 'http://host/x' });
    const wire = (answers: (string | null)[]): WireAnswers => ({
      named: [new Map([['eng', 0.6]]), null, new Map([['fr', 0.7]])],
      answers,
    });
    expect(reader.read(wire(['nob', 'en', 'fr']), 3)).toEqual([
      { answer: { label: 'no', probabilities: [0.6, 0] } },
      { missing: 'refused' },
      { answer: { label: 'fr', probabilities: [0, 0] } },
    ]);
    expect(reader.outside).toEqual({ answers: 1, mass: expect.closeTo(0.4 + 0.7 + 0.3, 9) });
    const bad = (row: ReadonlyMap<string, unknown>) => () => reader.read({ named: [row] }, 1);
    expect(
      bad(
        new Map([
          ['en', 0.9],
          ['no', 0.20001],
        ]),
      ),
    ).toThrow('sum to 1.1');
    expect(bad(new Map([['en', '0.9']]))).toThrow(
      'gives "0.9" as the probability of "en" in row 0',
    );
    expect(bad(new Map())).toThrow('sum to 0 ');
  });
});

test('a label that is not the likeliest is reported once it is no accident', () => {
  const probabilities = rowsOf(30, 24);
  const best = probabilities.map((row) => labels[row.indexOf(Math.max(...row))]!);
  const other = (index: number) => labels[(labels.indexOf(best[index]!) + 1) % 24]!;
  const once = best.map((label, index) => (index === 4 ? other(index) : label));
  const often = best.map((label, index) => (index % 3 === 0 ? other(index) : label));
  expect(shapeOf({ labels, probabilities, answers: once }, 30).shape).toEqual({ samples: 30 });
  const { shape } = shapeOf({ labels, probabilities, answers: often }, 30);
  expect(shape).toEqual({ labelDisagreesWithArgMax: 1 / 3, samples: 30 });
  expect(describeAnswerShape(shape)[0]).toContain('not the likeliest in 33.3% of answers');
});

test('answers may be missing for other reasons than refusal', () => {
  const reader = new AnswerReader({ labels: ['en', 'no'], address: 'x' });
  const missing = [undefined, 'failed', 'unsupported'] as const;
  expect(reader.read({ answers: ['en', null, null], missing }, 3)).toEqual([
    { answer: { label: 'en' } },
    { missing: 'failed' },
    { missing: 'unsupported' },
  ]);
});
