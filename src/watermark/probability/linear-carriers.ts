import { KeyedStream } from '../../keys/keyed-stream.ts';
import type { CarrierShape } from './carriers.ts';
import { denseVector, type SparseVector } from './features.ts';
import { SignRows } from './sign-rows.ts';

/** Carriers that are signed sums of the features, less what they say of the centre. */
export interface LinearCarriers {
  /** Sets the first values to those of the carriers, at least as many as there are. */
  evaluate(features: SparseVector, values: Float64Array): void;
}

/**
 * The linear carriers of profiles `@1`: a stream of signs, carrier after carrier, four bytes of
 * keystream for each. All of them are kept, a byte each.
 */
export class StreamedCarriers implements LinearCarriers {
  /** Row-major [linear, dimensions]. */
  readonly signs: Int8Array;
  readonly #shape: CarrierShape;
  readonly #offsets: Float64Array;

  constructor(key: Uint8Array, shape: CarrierShape) {
    const { dimensions, linear, centre = [] } = shape;
    const stream = new KeyedStream(key, 'linear-carriers');
    this.#shape = shape;
    this.signs = new Int8Array(linear * dimensions);
    for (let at = 0; at < this.signs.length; at += 1) this.signs[at] = stream.nextSign();
    const dense = denseVector(centre);
    this.#offsets = Float64Array.from({ length: linear }, (_, carrier) =>
      project(dense, this.signs, carrier * dimensions),
    );
  }

  evaluate(features: SparseVector, values: Float64Array): void {
    const { dimensions, linear } = this.#shape;
    for (let carrier = 0; carrier < linear; carrier += 1) {
      values[carrier] =
        project(features, this.signs, carrier * dimensions) - this.#offsets[carrier]!;
    }
  }
}

/** The linear carriers of profiles `@2`: `SignRows`, of which only the key and the offsets are kept. */
export class PackedCarriers implements LinearCarriers {
  readonly #rows: SignRows;
  readonly #linear: number;
  readonly #centre: ArrayLike<number> | undefined;
  #offsets: Float64Array | undefined;

  constructor(key: Uint8Array, { linear, centre }: CarrierShape) {
    this.#rows = new SignRows(key, 'carrier-rows', linear);
    this.#linear = linear;
    this.#centre = centre;
  }

  evaluate(features: SparseVector, values: Float64Array): void {
    const sums = values.subarray(0, this.#linear).fill(0);
    this.#rows.project(features, sums);
    if (this.#centre === undefined) return;
    this.#offsets ??= this.#offsetsOf(this.#centre);
    for (let carrier = 0; carrier < sums.length; carrier += 1) {
      sums[carrier]! -= this.#offsets[carrier]!;
    }
  }

  /** The slow part, some 300 microseconds for 4096 features: only carriers that are used pay it. */
  #offsetsOf(centre: ArrayLike<number>): Float64Array {
    const offsets = new Float64Array(this.#linear);
    this.#rows.project(denseVector(centre), offsets);
    return offsets;
  }
}

/** The inner product of a sparse vector with a row of a table. */
export function project(features: SparseVector, table: ArrayLike<number>, offset: number): number {
  const { indices, values } = features;
  let sum = 0;
  for (let entry = 0; entry < indices.length; entry += 1) {
    sum += values[entry]! * table[offset + indices[entry]!]!;
  }
  return sum;
}
