import { TouchmarkError } from '../../errors.ts';
import { KeyedStream } from '../../keys/keyed-stream.ts';
import { denseVector, type SparseVector } from './features.ts';
import {
  type LinearCarriers,
  PackedCarriers,
  project,
  StreamedCarriers,
} from './linear-carriers.ts';
import { scratchOf } from './scratch.ts';

export interface CarrierShape {
  /** How the signs of linear carriers are read from the key: `streamed` in profiles @1. */
  readonly layout: 'streamed' | 'packed';
  /** Classes of the protected model. */
  readonly classes: number;
  /** The classes that the directions live on. */
  readonly markedClasses: readonly number[];
  /** Length of the feature vectors. */
  readonly dimensions: number;
  /** Carriers that are linear in the features. */
  readonly linear: number;
  /** Carriers that are random Fourier features (Rahimi and Recht 2007) of them. */
  readonly fourier: number;
  /** Kernel width of the Fourier carriers, in units of feature distance. */
  readonly bandwidth: number;
  /**
   * The mean feature vector of the owner's inputs, where features are not centred already. What all
   * inputs share would only shift whole classes: it costs distortion, and no test can read it.
   */
  readonly centre?: ArrayLike<number>;
}

/** A perturbation of the classes' logits as a function of the features. */
export type Modulation = (features: SparseVector) => Float64Array;

/**
 * Checks that a bank of this shape can be made.
 *
 * @throws INPUT_INVALID when it has fewer than two marked classes or no carrier.
 */
export function requireCarrierShape({ markedClasses, linear, fourier }: CarrierShape): void {
  if (markedClasses.length >= 2 && linear + fourier >= 1) return;
  throw new TouchmarkError(
    'INPUT_INVALID',
    `a carrier bank needs 2 marked classes and 1 carrier, got ${markedClasses.length} and ${linear + fourier}`,
  );
}

/**
 * A keyed bank of carriers: J smooth functions psi_j of the input, each with a zero-mean
 * direction u_j over the classes, of unit mean square. The bank is keyed apart from the signs that modulate it, so that
 * a test randomises the signs alone.
 */
export class CarrierBank {
  readonly shape: CarrierShape;
  /** J: the number of carriers, linear ones first. */
  readonly count: number;
  /** Row-major [J, classes]. */
  readonly directions: Float32Array;
  readonly #linear: LinearCarriers;
  readonly #fourier: FourierCarriers;

  /** @throws INPUT_INVALID as `requireCarrierShape`. */
  constructor(key: Uint8Array, shape: CarrierShape) {
    requireCarrierShape(shape);
    this.shape = shape;
    this.count = shape.linear + shape.fourier;
    this.#linear =
      shape.layout === 'packed' ? new PackedCarriers(key, shape) : new StreamedCarriers(key, shape);
    this.#fourier = new FourierCarriers(key, shape);
    this.directions = keyedDirections(key, shape);
  }

  /** psi(x), one value of about unit variance per carrier. */
  evaluate(features: SparseVector): Float64Array {
    const values = new Float64Array(this.count);
    evaluateInto(values, this.#linear, this.#fourier, features);
    return values;
  }

  /**
   * The mark's perturbation as a function of the features, before scaling by the strength:
   * x -> 1/sqrt(J) * sum_j s_j psi_j(x) u_j.
   */
  modulate(signs: ArrayLike<number>): Modulation {
    if (this.#linear instanceof StreamedCarriers) {
      return collapsed(this, this.#linear.signs, this.#fourier, signs);
    }
    return summed(this, this.#linear, this.#fourier, signs);
  }
}

/** The secret signs s_j of one tenant and epoch, each 1 or -1. */
export function carrierSigns(key: Uint8Array, count: number): Int8Array {
  const stream = new KeyedStream(key, 'carrier-signs');
  return Int8Array.from({ length: count }, () => stream.nextSign());
}

class FourierCarriers {
  readonly count: number;
  readonly #dimensions: number;
  readonly #frequencies: Float32Array;
  readonly #phases: Float32Array;

  constructor(key: Uint8Array, { dimensions, fourier, bandwidth }: CarrierShape) {
    const stream = new KeyedStream(key, 'fourier-carriers');
    this.count = fourier;
    this.#dimensions = dimensions;
    this.#frequencies = new Float32Array(fourier * dimensions);
    for (let at = 0; at < this.#frequencies.length; at += 1) {
      this.#frequencies[at] = stream.nextNormal() / bandwidth;
    }
    this.#phases = Float32Array.from({ length: fourier }, () => 2 * Math.PI * stream.nextUniform());
  }

  value(features: SparseVector, index: number): number {
    const angle = project(features, this.#frequencies, index * this.#dimensions);
    return Math.SQRT2 * Math.cos(angle + this.#phases[index]!);
  }
}

function evaluateInto(
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
function summed(
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
function collapsed(
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

function keyedDirections(key: Uint8Array, shape: CarrierShape): Float32Array {
  const { classes, markedClasses, linear, fourier } = shape;
  const stream = new KeyedStream(key, 'directions');
  const directions = new Float32Array((linear + fourier) * classes);
  const values = new Float64Array(markedClasses.length);
  for (let from = 0; from < directions.length; from += classes) {
    let sum = 0;
    for (let index = 0; index < values.length; index += 1) {
      values[index] = stream.nextNormal();
      sum += values[index]!;
    }
    const mean = sum / values.length;
    let squares = 0;
    for (let index = 0; index < values.length; index += 1) {
      values[index]! -= mean;
      squares += values[index]! * values[index]!;
    }
    const size = Math.sqrt(squares / classes);
    for (let index = 0; index < values.length; index += 1) {
      directions[from + markedClasses[index]!] = values[index]! / size;
    }
  }
  return directions;
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
