import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { CarrierBank } from './carriers.ts';
import type { SparseVector } from './features.ts';

const ridge = 1;

/** One probe as the smooth layer reads it. */
export interface SmoothReading {
  readonly features: SparseVector;
  /** What the baselines leave unexplained of the suspect's answer, per class. */
  readonly residual: ArrayLike<number>;
}

/**
 * Correlates a suspect's residuals with each carrier: C_j = mean_i <r_i, u_j> psi_j(x_i),
 * decorrelated by a ridge on the carriers' Gram matrix, (G + I)^-1 C.
 *
 * Null: the suspect, the probes and the baselines are independent of the carriers' signs. Then the
 * scores are fixed numbers and the signs fair coins, whatever the suspect is.
 *
 * @returns J scores, whose products with the secret signs are positive in expectation on surrogates.
 */
export function smoothScores(bank: CarrierBank, readings: readonly SmoothReading[]): Float64Array {
  const { count, directions } = bank;
  const { classes } = bank.shape;
  const correlations = new Float64Array(count);
  const moments = new Float64Array(count * count);
  for (const { features, residual } of readings) {
    const carriers = bank.evaluate(features);
    for (let j = 0; j < count; j += 1) {
      let product = 0;
      for (let k = 0; k < classes; k += 1) product += residual[k]! * directions[j * classes + k]!;
      correlations[j]! += product * carriers[j]!;
    }
    addOuterProduct(moments, carriers);
  }
  const probes = Math.max(1, readings.length);
  const gram = Matrix.zeros(count, count);
  for (let j = 0; j < count; j += 1) {
    for (let l = 0; l <= j; l += 1) {
      const overlap = innerProduct(directions, j * classes, l * classes, classes) / classes;
      const entry = (moments[j * count + l]! / probes) * overlap + (j === l ? ridge : 0);
      gram.set(j, l, entry);
      gram.set(l, j, entry);
    }
  }
  const wanted = Matrix.columnVector(Array.from(correlations, (value) => value / probes));
  return Float64Array.from(new CholeskyDecomposition(gram).solve(wanted).to1DArray());
}

/** Adds the lower triangle of v v^T. */
function addOuterProduct(triangle: Float64Array, vector: Float64Array): void {
  const size = vector.length;
  for (let row = 0; row < size; row += 1) {
    const value = vector[row]!;
    const base = row * size;
    for (let column = 0; column <= row; column += 1) {
      triangle[base + column]! += value * vector[column]!;
    }
  }
}

function innerProduct(table: Float32Array, left: number, right: number, length: number): number {
  let sum = 0;
  for (let index = 0; index < length; index += 1)
    sum += table[left + index]! * table[right + index]!;
  return sum;
}
