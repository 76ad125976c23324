import type { CarrierBank } from './carriers.ts';
import { denseVector, type SparseVector } from './features.ts';
import type { FourierCarriers } from './fourier-carriers.ts';
import type { LinearCarriers } from './linear-carriers.ts';
import { scratchOf } from './scratch.ts';

/** A perturbation of the classes' logits as a function of the features. */
export type Modulation = (features: SparseVector) => Float64Array;

/** Sets all values: the linear carriers' first, then the Fourier carriers'. */
export function evaluateInto(
  values: Float64Array,
  linear: LinearCarriers,
  fourier: FourierCarriers,
  features: SparseVector,
): void {
  linear.evaluate(features, values);
  const first = values.length - fourier.count;
  for (let index = 0; index < fourier.count; index += 1) {
    values[first + index] = fourier.value(features, index);
  }
}

/**
 * The sum over all carriers, which keeps of the bank only the key of its rows and the signed
 * directions on the marked classes, [J, marked classes].
 */
export function summed(
  { count, directions, shape }: CarrierBank,
  linear: LinearCarriers,
  fourier: FourierCarriers,
  signs: ArrayLike<number>,
): Modulation {
  const { classes, markedClasses } = shape;
  const marked = Uint32Array.from(markedClasses);
  const signed = new Float32Array(count * marked.length);
  for (let carrier = 0; carrier < count; carrier += 1) {
    for (let index = 0; index < marked.length; index += 1) {
      signed[carrier * marked.length + index] =
        signs[carrier]! * directions[carrier * classes + marked[index]!]!;
    }
  }
  const scale = 1 / Math.sqrt(count);
  return (features) => {
    const values = scratchValues(count).subarray(0, count);
    evaluateInto(values, linear, fourier, features);
    const sums = scratchSums(marked.length);
    vectorTimesMatrix(values, signed, sums, marked.length);
    const shift = new Float64Array(classes);
    for (let index = 0; index < marked.length; index += 1) {
      shift[marked[index]!] = scale * sums[index]!;
    }
    return shift;
  };
}

const scratchValues = scratchOf((length) => new Float64Array(length));
const scratchSums = scratchOf((length) => new Float64Array(length));

/**
 * The linear carriers collapsed into one matrix [dimensions, classes], so that embedding costs one
 * sparse product whatever J is. Its rounding is that of the answers served under profiles @1.
 */
export function collapsed(
  bank: CarrierBank,
  linearSigns: Int8Array,
  fourier: FourierCarriers,
  signs: ArrayLike<number>,
): Modulation {
  const { count, directions } = bank;
  const { classes, linear, centre = [] } = bank.shape;
  const matrix = collapse(bank, linearSigns, signs);
  const scale = 1 / Math.sqrt(count);
  const offset = sparseTimesMatrix(denseVector(centre), matrix, classes);
  return (features) => {
    const shift = sparseTimesMatrix(features, matrix, classes);
    for (let k = 0; k < classes; k += 1) shift[k]! -= offset[k]!;
    for (let carrier = linear; carrier < count; carrier += 1) {
      const amount = scale * signs[carrier]! * fourier.value(features, carrier - linear);
      const from = carrier * classes;
      for (let k = 0; k < classes; k += 1) shift[k]! += amount * directions[from + k]!;
    }
    return shift;
  };
}

function collapse(
  { count, directions, shape }: CarrierBank,
  linearSigns: Int8Array,
  signs: ArrayLike<number>,
): Float32Array {
  const { classes, dimensions, linear } = shape;
  const matrix = new Float32Array(dimensions * classes);
  const scale = 1 / Math.sqrt(count);
  for (let carrier = 0; carrier < linear; carrier += 1) {
    const direction = directions
      .subarray(carrier * classes, (carrier + 1) * classes)
      .map((value) => value * scale * signs[carrier]!);
    for (let dimension = 0; dimension < dimensions; dimension += 1) {
      const sign = linearSigns[carrier * dimensions + dimension]!;
      const to = dimension * classes;
      for (let k = 0; k < classes; k += 1) matrix[to + k]! += sign * direction[k]!;
    }
  }
  return matrix;
}

/** Sets the first `columns` products to vector times matrix, four rows at a time. */
function vectorTimesMatrix(
  vector: Float64Array,
  matrix: Float32Array,
  products: Float64Array,
  columns: number,
): void {
  products.fill(0, 0, columns);
  const fours = vector.length - (vector.length % 4);
  for (let row = 0; row < fours; row += 4) {
    const a = vector[row]!;
    const b = vector[row + 1]!;
    const c = vector[row + 2]!;
    const d = vector[row + 3]!;
    const first = row * columns;
    const second = first + columns;
    const third = second + columns;
    const fourth = third + columns;
    for (let k = 0; k < columns; k += 1) {
      products[k]! +=
        a * matrix[first + k]! +
        b * matrix[second + k]! +
        c * matrix[third + k]! +
        d * matrix[fourth + k]!;
    }
  }
  for (let row = fours; row < vector.length; row += 1) {
    const value = vector[row]!;
    for (let k = 0; k < columns; k += 1) products[k]! += value * matrix[row * columns + k]!;
  }
}

function sparseTimesMatrix(
  features: SparseVector,
  matrix: Float32Array,
  columns: number,
): Float64Array {
  const { indices, values } = features;
  const product = new Float64Array(columns);
  for (let entry = 0; entry < indices.length; entry += 1) {
    const value = values[entry]!;
    const from = indices[entry]! * columns;
    for (let k = 0; k < columns; k += 1) product[k]! += value * matrix[from + k]!;
  }
  return product;
}
