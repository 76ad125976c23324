import { TouchmarkError } from '../../errors.ts';
import { KeyedStream } from '../../keys/keyed-stream.ts';
import type { SparseVector } from './features.ts';
import { FourierCarriers } from './fourier-carriers.ts';
import { type LinearCarriers, PackedCarriers, StreamedCarriers } from './linear-carriers.ts';
import { collapsed, evaluateInto, type Modulation, summed } from './modulation.ts';

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
