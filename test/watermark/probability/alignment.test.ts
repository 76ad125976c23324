import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/stats/sampling.ts';
import {
  fitAlignment,
  readingLogs,
  residual,
} from '../../../src/watermark/probability/alignment.ts';
import { softmax } from '../../../src/watermark/probability/distribution.ts';

const random = seededRandom('alignment');
const logits = Array.from({ length: 300 }, () =>
  Float64Array.from({ length: 4 }, () => 1.2 * random.normal()),
);
const clean = logits.map(softmax);
const temper = (row: Float64Array, temperature: number) =>
  softmax(row.map((value) => value / temperature));
const answersOf = (suspect: readonly ArrayLike<number>[]) =>
  suspect.map((row, index) => ({ suspect: row, baselines: [readingLogs(clean[index]!)] }));
const size = (row: Float64Array) => Math.hypot(...row);

describe('fitAlignment', () => {
  it('recovers a temperature that the suspect was sharpened or flattened by', () => {
    for (const exponent of [-0.5, -0.25, 0, 0.3, 0.5]) {
      const factor = 4 ** exponent;
      const answers = answersOf(logits.map((row) => temper(row, factor)));
      const { temperature } = fitAlignment(answers);
      expect(Math.abs(Math.log(temperature * factor))).toBeLessThan(Math.log(4) / 20);
    }
  });

  it('recovers an affine map per class', () => {
    const bias = [0.4, -0.1, -0.5, 0.2];
    const answers = answersOf(
      logits.map((row) => softmax(row.map((value, k) => value + bias[k]!))),
    );
    const alignment = fitAlignment(answers);
    alignment.coefficients.forEach(([intercept, slope], k) => {
      expect(intercept! * alignment.temperature).toBeCloseTo(bias[k]!, 2);
      expect(slope! * alignment.temperature).toBeCloseTo(1, 2);
    });
    for (const answer of answers) expect(size(residual(answer, alignment))).toBeLessThan(0.1);
  });

  it('leaves nothing of an exact copy, and of a copy at a temperature on its grid', () => {
    for (const rows of [clean, logits.map((row) => temper(row, 4 ** 0.5))]) {
      const answers = answersOf(rows);
      const alignment = fitAlignment(answers);
      for (const answer of answers) expect(size(residual(answer, alignment))).toBeLessThan(1e-3);
    }
  });

  it('leaves what a mark added', () => {
    const mark = logits.map(() => random.normal() / 4);
    const suspect = logits.map((row, index) =>
      softmax(row.map((value, k) => value + (k === 0 ? mark[index]! : 0))),
    );
    const answers = answersOf(suspect);
    const alignment = fitAlignment(answers);
    let agreement = 0;
    answers.forEach((answer, index) => {
      if (residual(answer, alignment)[0]! * mark[index]! > 0) agreement += 1;
    });
    expect(agreement / answers.length).toBeGreaterThan(0.9);
  });

  it('copes with one answer, one-hot answers and constant baselines', () => {
    const oneHot = logits.map((_, index) => [0, 1, 2, 3].map((k) => Number(k === index % 4)));
    for (const rows of [oneHot, oneHot.slice(0, 1)]) {
      const answers = rows.map((suspect) => ({
        suspect,
        baselines: [readingLogs([0.25, 0.25, 0.25, 0.25])],
      }));
      const alignment = fitAlignment(answers);
      for (const answer of answers) {
        expect(residual(answer, alignment).every((value) => Number.isFinite(value))).toBe(true);
      }
    }
  });
});
