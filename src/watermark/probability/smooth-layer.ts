import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { CarrierBank } from './carriers.ts';
import type { SparseVector } from './features.ts';

/** One probe as the smooth layer reads it. */
export interface SmoothReading {
  readonly features: SparseVector;
  /** What the baselines leave unexplained of the suspect's answer, per class. */
  readonly residual: ArrayLike<number>;
}

/**
 * Correlates a suspect's residuals with each carrier: C_j = mean_i <r_i, u_j> psi_j(x_i),
 * decorrelated by a ridge on the carriers' Gram matrix, (G + ridge I)^-1 C.
 *
 * Null: the suspect, the probes and the baselines are independent of the carriers' signs. Then the
 * scores are fixed numbers and the signs fair coins, whatever the suspect is.
 *
 * @returns J scores, whose products with the secret signs are positive in expectation on surrogates.
 */
export function smoothScores(bank: CarrierBank, readings: readonly SmoothReading[]): Float64Array {
  const { count, shape, directions } = bank;
  const { classes } = shape;
  const correlations = new Float64Array(count);
  const values = new Matrix(Math.max(1, readings.length), count);
  readings.forEach(({ features, residual }, probe) => {
    const carriers = bank.evaluate(features);
    for (let j = 0; j < count; j += 1) {
      let product = 0;
      for (let k = 0; k < classes; k += 1) product += residual[k]! * directions[j * classes + k]!;
      correlations[j]! += (product * carriers[j]!) / readings.length;
      values.set(probe, j, carriers[j]!);
    }
  });
  const overlap = new Matrix(count, classes);
  for (let j = 0; j < count; j += 1) {
    for (let k = 0; k < classes; k += 1) overlap.set(j, k, directions[j * classes + k]!);
  }
  const gram = values
    .transpose()
    .mmul(values)
    .div(Math.max(1, readings.length))
    .mul(overlap.mmul(overlap.transpose()).div(classes));
  const system = gram.add(Matrix.eye(count));
  const solved = new CholeskyDecomposition(system).solve(Matrix.columnVector([...correlations]));
  return Float64Array.from(solved.to1DArray());
}
