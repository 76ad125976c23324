import { TouchmarkError } from '../../../errors.ts';
import { trainingModule } from './training-module.ts';

/** What assembly/training.ts exports; pointers are offsets in the memory. */
export interface TrainingKernel {
  sumRows(
    order: number,
    count: number,
    offsets: number,
    indices: number,
    values: number,
    weights: number,
    inputs: number,
    units: number,
    out: number,
  ): void;
  scatterRows(
    order: number,
    count: number,
    offsets: number,
    indices: number,
    values: number,
    slopes: number,
    inputs: number,
    units: number,
    gradient: number,
  ): void;
  denseRows(
    rows: number,
    count: number,
    weights: number,
    inputs: number,
    units: number,
    out: number,
  ): void;
  denseGradient(
    rows: number,
    count: number,
    slopes: number,
    inputs: number,
    units: number,
    gradient: number,
  ): void;
  denseBack(
    slopes: number,
    count: number,
    weights: number,
    inputs: number,
    units: number,
    rows: number,
    out: number,
  ): void;
  rectify(values: number, count: number): void;
  adam(
    weights: number,
    gradient: number,
    first: number,
    second: number,
    count: number,
    rate: number,
    floor: number,
  ): void;
}

/** The kernel over a memory of its own that never grows, so that views on it last. */
export class TrainingMemory {
  readonly kernel: TrainingKernel;
  readonly #buffer: ArrayBuffer;
  #next = firstOffset;

  /** @param sizes lengths, in 32-bit values, of everything that will be placed */
  constructor(sizes: readonly number[]) {
    const bytes = sizes.reduce((sum, size) => sum + padded(size) * 4, firstOffset);
    const pages = Math.ceil(bytes / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(compile(), { env: { memory } });
    this.kernel = exports as unknown as TrainingKernel;
    this.#buffer = memory.buffer;
  }

  /** Sets aside room for float32 values, all 0, and says where. */
  floats(size: number): Float32Array {
    return new Float32Array(this.#buffer, this.#take(size), size);
  }

  /** Sets aside room for whole numbers, all 0, and says where. */
  integers(size: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(size), size);
  }

  #take(size: number): number {
    const offset = this.#next;
    this.#next += padded(size) * 4;
    return offset;
  }
}

/** Offsets below are left free: the compiler takes them for addresses that nothing has. */
const firstOffset = 1024;
const pageBytes = 65_536;
let compiled: WebAssembly.Module | undefined;

function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function compile(): WebAssembly.Module {
  if (compiled) return compiled;
  const bytes = Buffer.from(trainingModule, 'base64');
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(bytes)) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      'This machine has no WebAssembly with SIMD, which training the reference models takes.',
      { hint: 'Build region traps on another machine; auditing with them works here.' },
    );
  }
  compiled = new WebAssembly.Module(bytes);
  return compiled;
}
