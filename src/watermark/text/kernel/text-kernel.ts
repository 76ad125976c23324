import type { TextKernel } from './kernel-port.ts';
import { PlainKernel } from './plain-kernel.ts';
import { openSimdKernel } from './simd-kernel.ts';

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
