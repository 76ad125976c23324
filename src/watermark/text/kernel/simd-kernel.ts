import type { GreenPlanes } from '../prfs/prf.ts';
import { firstOffset, instantiateKernel, type KernelExports } from './instance.ts';
import type { TextKernel } from './kernel-port.ts';
import { tokensAboveNothing } from './plain-kernel.ts';

const floatBytes = 4;
const coarseValues = 256;
const largestPlanes = 16;
/** Bounds within which float32 products of temperature, table and logits cannot overflow. */
const temperatures = { least: 1e-6, most: 1e6 };

/** Returns the kernel in WebAssembly; nothing when this machine has none with SIMD. */
export function openSimdKernel(vocabularySize: number): TextKernel | undefined {
  const layout = layoutOf(vocabularySize);
  const instance = instantiateKernel(layout.end);
  return instance && new SimdKernel(vocabularySize, layout, instance.kernel, instance.memory);
}

type Layout = ReturnType<typeof layoutOf>;

function layoutOf(vocabularySize: number) {
  const padded = Math.ceil(vocabularySize / 128) * 128;
  const least = firstOffset;
  const greatest = least + coarseValues * floatBytes;
  const logits = greatest + coarseValues * floatBytes;
  const keystream = logits + padded * floatBytes;
  const survivors = keystream + (padded / 8) * largestPlanes;
  const end = survivors + (padded + 16) * floatBytes;
  return { least, greatest, logits, keystream, survivors, end };
}

class SimdKernel implements TextKernel {
  readonly implementation = 'simd';
  readonly vocabularySize: number;
  readonly logits: Float32Array;
  readonly #kernel: KernelExports;
  readonly #layout: Layout;
  readonly #keystream: Uint8Array;
  readonly #least: Float32Array;
  readonly #greatest: Float32Array;
  readonly #survivors: Int32Array;
  #temperature = 0;

  constructor(size: number, layout: Layout, kernel: KernelExports, memory: ArrayBuffer) {
    this.vocabularySize = size;
    this.#kernel = kernel;
    this.#layout = layout;
    this.logits = new Float32Array(memory, layout.logits, size);
    this.#keystream = new Uint8Array(memory, layout.keystream, layout.survivors - layout.keystream);
    this.#least = new Float32Array(memory, layout.least, coarseValues);
    this.#greatest = new Float32Array(memory, layout.greatest, coarseValues);
    this.#survivors = new Int32Array(memory, layout.survivors, size);
  }

  biasGreen(
    logits: Float32Array,
    size: number,
    { count, threshold }: Pick<GreenPlanes, 'count' | 'threshold'>,
    keystream: Uint8Array,
    half: number,
  ): void {
    this.#keystream.set(keystream);
    const at = this.#pointerTo(logits, size);
    const { keystream: from } = this.#layout;
    this.#kernel.biasGreen(at ?? this.#layout.logits, size, from, count, threshold, half);
    if (at === undefined) logits.set(this.logits.subarray(0, size));
  }

  gumbelSurvivors(
    logits: Float32Array,
    size: number,
    coarse: Uint8Array,
    temperature: number,
  ): Int32Array {
    if (!(temperature >= temperatures.least && temperature <= temperatures.most)) {
      return tokensAboveNothing(logits, size);
    }
    this.#setTemperature(temperature);
    this.#keystream.set(coarse);
    const { least, greatest, keystream, survivors } = this.#layout;
    const count = this.#kernel.filterGumbel(
      this.#pointerTo(logits, size) ?? this.#layout.logits,
      size,
      keystream,
      least,
      greatest,
      temperature * Math.LN2 * (8 + 127),
      temperature * Math.LN2 * 2 ** -23,
      2e-6 * (1 + 100 * temperature),
      survivors,
    );
    if (count === 0) return tokensAboveNothing(logits, size);
    return this.#survivors.slice(0, count);
  }

  /** Where the logits lie in the memory; if they do not, copies them there and returns nothing. */
  #pointerTo(logits: Float32Array, size: number): number | undefined {
    const { buffer, byteOffset } = logits;
    const inside =
      buffer === this.logits.buffer &&
      byteOffset >= this.#layout.logits &&
      byteOffset + size * floatBytes <= this.#layout.keystream;
    if (inside) return byteOffset;
    this.logits.set(logits.length > size ? logits.subarray(0, size) : logits);
    return undefined;
  }

  #setTemperature(temperature: number): void {
    if (temperature === this.#temperature) return;
    this.#temperature = temperature;
    for (let byte = 0; byte < coarseValues; byte++) {
      this.#least[byte] = temperature * gumbelOf((byte + 2 ** -33) / coarseValues);
      this.#greatest[byte] = temperature * gumbelOf((byte + 1 - 2 ** -33) / coarseValues);
    }
  }
}

function gumbelOf(uniform: number): number {
  return -Math.log(-Math.log(uniform));
}
