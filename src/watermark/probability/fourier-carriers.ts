import { KeyedStream } from '../../keys/keyed-stream.ts';
import type { CarrierShape } from './carriers.ts';
import type { SparseVector } from './features.ts';
import { project } from './linear-carriers.ts';

/** Random Fourier features (Rahimi and Recht 2007) of the features, under a Gaussian kernel. */
export class FourierCarriers {
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
