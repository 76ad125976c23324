import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { CarrierBank } from './carriers.ts';
import type { SparseVector } from './features.ts';

const ridge = 1;

/** Rows added to the Gram matrix together, so that each of its entries is touched less often. */
const rowsAtOnce = 4;

/**
 * Reads the smooth layer out of a suspect's residuals on a growing sequence of probes.
 *
 * The scores are C_j = mean_i <r_i, u_j> psi_j(x_i), decorrelated by a ridge on the carriers' Gram
 * matrix, (G + I)^-1 C. Null: the suspect, the probes and the baselines are independent of the
 * carriers' signs. Then the scores are fixed numbers and the signs fair coins, whatever the suspect
 * is.
 */
export class SmoothReader {
  readonly #bank: CarrierBank;
  readonly #carriers: Float64Array[] = [];
  /** Lower triangle of the sum of psi psi^T over the first `#summed` probes. */
  readonly #moments: Float64Array;
  readonly #overlaps: Float64Array;
  #summed = 0;

  constructor(bank: CarrierBank) {
    this.#bank = bank;
    this.#moments = new Float64Array(bank.count * bank.count);
    this.#overlaps = directionOverlaps(bank);
  }

  /** Adds the next probe. */
  add(features: SparseVector): void {
    this.#carriers.push(this.#bank.evaluate(features));
  }

  /**
   * Returns J scores, whose products with the secret signs are positive in expectation on
   * surrogates.
   *
   * @param residuals what the baselines leave unexplained, [classes] for each probe added.
   */
  scores(residuals: readonly ArrayLike<number>[]): Float64Array {
    const { count } = this.#bank;
    const probes = Math.max(1, this.#carriers.length);
    this.#sumMoments();
    const gram = Matrix.zeros(count, count);
    for (let j = 0; j < count; j += 1) {
      for (let l = 0; l <= j; l += 1) {
        const at = j * count + l;
        const entry = (this.#moments[at]! / probes) * this.#overlaps[at]! + (j === l ? ridge : 0);
        gram.set(j, l, entry);
        gram.set(l, j, entry);
      }
    }
    const wanted = Matrix.columnVector(
      Array.from(this.#correlate(residuals), (value) => value / probes),
    );
    return Float64Array.from(new CholeskyDecomposition(gram).solve(wanted).to1DArray());
  }

  #correlate(residuals: readonly ArrayLike<number>[]): Float64Array {
    const { count, directions } = this.#bank;
    const { classes } = this.#bank.shape;
    const sums = new Float64Array(count);
    for (let probe = 0; probe < this.#carriers.length; probe += 1) {
      const carriers = this.#carriers[probe]!;
      const residual = residuals[probe]!;
      for (let j = 0; j < count; j += 1) {
        let product = 0;
        for (let k = 0; k < classes; k += 1) product += residual[k]! * directions[j * classes + k]!;
        sums[j]! += product * carriers[j]!;
      }
    }
    return sums;
  }

  #sumMoments(): void {
    const zeros = new Float64Array(this.#bank.count);
    while (this.#summed < this.#carriers.length) {
      const rows = this.#carriers.slice(this.#summed, this.#summed + rowsAtOnce);
      const [a = zeros, b = zeros, c = zeros, d = zeros] = rows;
      addOuterProducts(this.#moments, a, b, c, d);
      this.#summed += rows.length;
    }
  }
}

/** Adds the lower triangle of a a^T + b b^T + c c^T + d d^T. */
function addOuterProducts(
  triangle: Float64Array,
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  d: Float64Array,
): void {
  const size = a.length;
  for (let row = 0; row < size; row += 1) {
    const [ra, rb, rc, rd] = [a[row]!, b[row]!, c[row]!, d[row]!];
    const base = row * size;
    for (let column = 0; column <= row; column += 1) {
      triangle[base + column]! +=
        ra * a[column]! + rb * b[column]! + rc * c[column]! + rd * d[column]!;
    }
  }
}

/** Lower triangle of <u_j, u_l> / classes. */
function directionOverlaps({ count, directions, shape }: CarrierBank): Float64Array {
  const { classes } = shape;
  const overlaps = new Float64Array(count * count);
  for (let j = 0; j < count; j += 1) {
    for (let l = 0; l <= j; l += 1) {
      let sum = 0;
      for (let k = 0; k < classes; k += 1) {
        sum += directions[j * classes + k]! * directions[l * classes + k]!;
      }
      overlaps[j * count + l] = sum / classes;
    }
  }
  return overlaps;
}
