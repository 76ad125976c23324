import { kernelModule } from './kernel-module.ts';

/** What assembly/kernel.ts exports; pointers are offsets in the memory. */
export interface KernelExports {
  writeCounters(
    counters: number,
    blocks: number,
    first: number,
    second: number,
    third: number,
    low: number,
  ): void;
  biasGreen(
    logits: number,
    size: number,
    keystream: number,
    planes: number,
    threshold: number,
    half: number,
  ): void;
  filterGumbel(
    logits: number,
    size: number,
    coarse: number,
    least: number,
    greatest: number,
    offset: number,
    scale: number,
    slack: number,
    survivors: number,
  ): number;
  transformFloats(values: number, bits: number): void;
  transformIntegers(values: number, bits: number): void;
  largestFloats(values: number, count: number, found: number): number;
  largestIntegers(values: number, count: number, found: number): number;
}

export interface KernelInstance {
  readonly kernel: KernelExports;
  readonly memory: ArrayBuffer;
}

/** Offsets below are left free: the compiler takes them for addresses that nothing has. */
export const firstOffset = 1024;
const pageBytes = 65_536;
let compiled: WebAssembly.Module | 'unsupported' | undefined;

/**
 * Returns the kernel over a memory of its own that never grows, so that views on it last; nothing
 * when this machine has no WebAssembly with SIMD.
 */
export function instantiateKernel(bytes: number): KernelInstance | undefined {
  compiled ??= compileKernel();
  if (compiled === 'unsupported') return undefined;
  const pages = Math.ceil(bytes / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return { kernel: exports as KernelExports, memory: memory.buffer };
}

function compileKernel(): WebAssembly.Module | 'unsupported' {
  if (typeof WebAssembly === 'undefined') return 'unsupported';
  const bytes = Buffer.from(kernelModule, 'base64');
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : 'unsupported';
}
