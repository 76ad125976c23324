import { TouchmarkError } from '../../errors.ts';
import { KeyedStream } from '../../keys/keyed-stream.ts';
import type { SparseVector } from './features.ts';

export interface CarrierShape {
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
  readonly #linearSigns: Int8Array;
  readonly #frequencies: Float32Array;
  readonly #phases: Float32Array;
  /** What each linear carrier says of the centre. */
  readonly #offsets: Float64Array;

  /** @throws INPUT_INVALID when the shape has fewer than two marked classes or no carrier. */
  constructor(key: Uint8Array, shape: CarrierShape) {
    const { markedClasses, dimensions, linear, fourier, bandwidth } = shape;
    if (markedClasses.length < 2 || linear + fourier < 1) {
      throw new TouchmarkError(
        'INPUT_INVALID',
        `a carrier bank needs 2 marked classes and 1 carrier, got ${markedClasses.length} and ${linear + fourier}`,
      );
    }
    this.shape = shape;
    this.count = linear + fourier;
    const signs = new KeyedStream(key, 'linear-carriers');
    this.#linearSigns = Int8Array.from({ length: linear * dimensions }, () => signs.nextSign());
    const fourierStream = new KeyedStream(key, 'fourier-carriers');
    this.#frequencies = Float32Array.from(
      { length: fourier * dimensions },
      () => fourierStream.nextNormal() / bandwidth,
    );
    this.#phases = Float32Array.from(
      { length: fourier },
      () => 2 * Math.PI * fourierStream.nextUniform(),
    );
    const centre = denseVector(shape.centre ?? []);
    this.#offsets = Float64Array.from({ length: linear }, (_, carrier) =>
      project(centre, this.#linearSigns, carrier * dimensions),
    );
    this.directions = keyedDirections(new KeyedStream(key, 'directions'), this.count, shape);
  }

  /** psi(x), one value of about unit variance per carrier. */
  evaluate(features: SparseVector): Float64Array {
    const { dimensions, linear } = this.shape;
    const values = new Float64Array(this.count);
    for (let carrier = 0; carrier < this.count; carrier += 1) {
      values[carrier] =
        carrier < linear
          ? project(features, this.#linearSigns, carrier * dimensions) - this.#offsets[carrier]!
          : this.#fourier(features, carrier - linear);
    }
    return values;
  }

  /**
   * The mark's perturbation as a function of the features, before scaling by the strength:
   * x -> 1/sqrt(J) * sum_j s_j psi_j(x) u_j. The linear carriers collapse into one matrix
   * [dimensions, classes], so that embedding costs one sparse product whatever J is.
   */
  modulate(signs: ArrayLike<number>): (features: SparseVector) => Float64Array {
    const matrix = this.#collapse(signs);
    const { classes, linear, centre = [] } = this.shape;
    const scale = 1 / Math.sqrt(this.count);
    const offset = sparseTimesMatrix(denseVector(centre), matrix, classes);
    return (features) => {
      const shift = sparseTimesMatrix(features, matrix, classes);
      for (let k = 0; k < classes; k += 1) shift[k]! -= offset[k]!;
      for (let carrier = linear; carrier < this.count; carrier += 1) {
        const amount = scale * signs[carrier]! * this.#fourier(features, carrier - linear);
        const from = carrier * classes;
        for (let k = 0; k < classes; k += 1) shift[k]! += amount * this.directions[from + k]!;
      }
      return shift;
    };
  }

  #collapse(signs: ArrayLike<number>): Float32Array {
    const { classes, dimensions, linear } = this.shape;
    const matrix = new Float32Array(dimensions * classes);
    const scale = 1 / Math.sqrt(this.count);
    for (let carrier = 0; carrier < linear; carrier += 1) {
      const direction = this.directions
        .subarray(carrier * classes, (carrier + 1) * classes)
        .map((value) => value * scale * signs[carrier]!);
      for (let dimension = 0; dimension < dimensions; dimension += 1) {
        const sign = this.#linearSigns[carrier * dimensions + dimension]!;
        const to = dimension * classes;
        for (let k = 0; k < classes; k += 1) matrix[to + k]! += sign * direction[k]!;
      }
    }
    return matrix;
  }

  #fourier(features: SparseVector, index: number): number {
    const angle = project(features, this.#frequencies, index * this.shape.dimensions);
    return Math.SQRT2 * Math.cos(angle + this.#phases[index]!);
  }
}

/** The secret signs s_j of one tenant and epoch, each 1 or -1. */
export function carrierSigns(key: Uint8Array, count: number): Int8Array {
  const stream = new KeyedStream(key, 'carrier-signs');
  return Int8Array.from({ length: count }, () => stream.nextSign());
}

function keyedDirections(stream: KeyedStream, count: number, shape: CarrierShape): Float32Array {
  const { classes, markedClasses } = shape;
  const directions = new Float32Array(count * classes);
  for (let carrier = 0; carrier < count; carrier += 1) {
    const values = markedClasses.map(() => stream.nextNormal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const centred = values.map((value) => value - mean);
    const size = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0) / classes);
    markedClasses.forEach((k, index) => {
      directions[carrier * classes + k] = centred[index]! / size;
    });
  }
  return directions;
}

function denseVector(values: ArrayLike<number>): SparseVector {
  return {
    indices: Uint32Array.from({ length: values.length }, (_, index) => index),
    values: Float32Array.from(values),
  };
}

function project(features: SparseVector, table: ArrayLike<number>, offset: number): number {
  const { indices, values } = features;
  let sum = 0;
  for (let entry = 0; entry < indices.length; entry += 1) {
    sum += values[entry]! * table[offset + indices[entry]!]!;
  }
  return sum;
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
