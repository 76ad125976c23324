import { Matrix, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { CarrierBank } from '../../../src/watermark/probability/carriers.ts';
import { hashNgrams, type SparseVector } from '../../../src/watermark/probability/features.ts';
import { SmoothReader } from '../../../src/watermark/probability/smooth-layer.ts';
import { keyOf } from '../fixtures.ts';

const classes = 5;
const bank = new CarrierBank(keyOf('bank'), {
  layout: 'packed',
  classes,
  markedClasses: [0, 1, 2, 4],
  dimensions: 128,
  linear: 12,
  fourier: 5,
  bandwidth: 0.7,
});
const random = seededRandom('smooth layer');
const features = Array.from({ length: 37 }, (_, index) =>
  hashNgrams(`question number ${index * 7919}`, {
    dimensions: 128,
    shortest: 1,
    longest: 3,
    seed: 0,
  }),
);
const residuals = features.map(() => Array.from({ length: classes }, () => random.normal()));

/** The definition, with dense matrices: (mean of (psi psi^T) * (U U^T / K) + I)^-1 C. */
function naiveScores(rows: readonly SparseVector[], rests: readonly number[][]): number[] {
  const psi = new Matrix(rows.map((row) => Array.from(bank.evaluate(row))));
  const directions = new Matrix(
    Array.from({ length: bank.count }, (_, j) =>
      Array.from(bank.directions.subarray(j * classes, (j + 1) * classes)),
    ),
  );
  const moments = psi.transpose().mmul(psi).div(rows.length);
  const gram = moments.mul(directions.mmul(directions.transpose()).div(classes));
  const products = new Matrix(rests.map((row) => [...row])).mmul(directions.transpose()).mul(psi);
  const means = products.mean('column').map((value) => [value]);
  return solve(gram.add(Matrix.eye(bank.count)), new Matrix(means)).to1DArray();
}

describe('SmoothReader', () => {
  it('equals the dense definition at every checkpoint of a growing sequence', () => {
    const reader = new SmoothReader(bank);
    let added = 0;
    for (const checkpoint of [1, 3, 10, 37]) {
      for (; added < checkpoint; added += 1) reader.add(features[added]!);
      const scores = reader.scores(residuals.slice(0, checkpoint));
      const expected = naiveScores(features.slice(0, checkpoint), residuals.slice(0, checkpoint));
      scores.forEach((score, j) => {
        expect(score).toBeCloseTo(expected[j]!, 10);
      });
    }
  });

  it('scores nothing where there is nothing', () => {
    expect([...new SmoothReader(bank).scores([])]).toEqual(new Array(bank.count).fill(0));
  });
});
