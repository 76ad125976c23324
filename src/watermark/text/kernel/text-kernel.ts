import type { GreenPlanes } from '../prfs/prf.ts';
import { PlainKernel } from './plain-kernel.ts';
import { openSimdKernel } from './simd-kernel.ts';

/**
 * The work that marking does on a whole vocabulary. Its `logits` are memory in which it marks
 * without copying: an engine writes them there, marks them and reads them, before it does so again.
 */
export interface TextKernel {
  readonly implementation: 'simd' | 'plain';
  /** The most logits that can be marked at once. */
  readonly vocabularySize: number;
  /** `vocabularySize` float32; the view lasts as long as the kernel. */
  readonly logits: Float32Array;
  /**
   * Adds `half` to the first `size` logits whose token is green and takes it from the others.
   *
   * @param keystream what `planes.stream` returned for at least `size` tokens
   */
  biasGreen(
    logits: Float32Array,
    size: number,
    planes: Pick<GreenPlanes, 'count' | 'threshold'>,
    keystream: Uint8Array,
    half: number,
  ): void;
  /**
   * Returns the tokens below `size`, in order, that may have the largest
   * logit / temperature - log(-log u), given the highest eight bits of every u; none when no logit
   * is above -Infinity.
   *
   * @param coarse one byte per token
   */
  gumbelSurvivors(
    logits: Float32Array,
    size: number,
    coarse: Uint8Array,
    temperature: number,
  ): Int32Array;
}

const ownerOfMemory = new WeakMap<object, TextKernel>();
const shared = new Map<number, TextKernel>();

/**
 * Opens a kernel with memory of its own: in WebAssembly with SIMD where the machine has it, and else
 * in TypeScript, with the same results.
 *
 * @param options.simd false for the one in TypeScript
 */
export function openTextKernel(
  vocabularySize: number,
  { simd = true }: { readonly simd?: boolean } = {},
): TextKernel {
  const kernel = (simd && openSimdKernel(vocabularySize)) || new PlainKernel(vocabularySize);
  ownerOfMemory.set(kernel.logits.buffer, kernel);
  return kernel;
}

/** Returns the kernel whose memory the logits lie in, or else one that all logits of the size share. */
export function kernelFor(logits: Float32Array, size: number): TextKernel {
  const owner = ownerOfMemory.get(logits.buffer);
  if (owner && owner.vocabularySize >= size) return owner;
  let kernel = shared.get(size);
  if (!kernel) {
    kernel = openTextKernel(size);
    shared.set(size, kernel);
  }
  return kernel;
}
