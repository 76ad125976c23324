import { TouchmarkError } from '../../../errors.ts';
import { firstOffset, instantiateKernel, type KernelExports } from './instance.ts';

/** The two largest of some numbers. */
export interface LargestTwo {
  readonly largest: number;
  /** Where the largest stands first. */
  readonly index: number;
  /** The largest of the others; equal to the largest when that stands twice. */
  readonly runnerUp: number;
}

type Values = Float32Array | Int32Array;

interface TransformMemory {
  readonly kernel: KernelExports;
  readonly bytes: ArrayBuffer;
  readonly capacity: number;
}

const fewestForKernel = 16;
const valuesOffset = firstOffset + 64;
let transformMemory: TransformMemory | undefined;

/**
 * Replaces values by their Walsh-Hadamard transform, in place: element t becomes the sum over h of
 * value h times (-1)^<t, h>, with <t, h> the parity of the bits that t and h share (Fino and Algazi
 * 1976). Float32 sums round at every level, shortest distances first; int32 sums wrap.
 *
 * @param values 2^n of them
 * @param options.simd false for the computation in TypeScript, which gives the same
 * @throws TouchmarkError INPUT_INVALID for another number of values
 */
export function walshHadamard(
  values: Values,
  { simd = true }: { readonly simd?: boolean } = {},
): void {
  const bits = Math.log2(values.length);
  if (!Number.isInteger(bits)) {
    throw new TouchmarkError('INPUT_INVALID', `The transform was given ${values.length} values.`, {
      hint: 'Give a power of two of them.',
    });
  }
  const memory = simd && values.length >= fewestForKernel && memoryFor(values.length);
  if (!memory) {
    transformPlainly(values);
    return;
  }
  const inside = load(memory, values);
  if (values instanceof Float32Array) memory.kernel.transformFloats(valuesOffset, bits);
  else memory.kernel.transformIntegers(valuesOffset, bits);
  values.set(inside);
}

/**
 * Returns the two largest of at least two numbers, none of which is NaN.
 *
 * @param options.simd false for the computation in TypeScript, which gives the same
 * @throws TouchmarkError INPUT_INVALID for fewer than two
 */
export function largestTwo(
  values: Values,
  { simd = true }: { readonly simd?: boolean } = {},
): LargestTwo {
  if (values.length < 2) {
    throw new TouchmarkError('INPUT_INVALID', `There is no second among ${values.length} values.`, {
      hint: 'Give at least two values.',
    });
  }
  const suits = simd && values.length >= fewestForKernel && values.length % 4 === 0;
  const memory = suits && memoryFor(values.length);
  if (!memory) return largestTwoPlainly(values);
  load(memory, values);
  const floats = values instanceof Float32Array;
  const find = floats ? memory.kernel.largestFloats : memory.kernel.largestIntegers;
  const index = find(valuesOffset, values.length, firstOffset);
  const found = floats
    ? new Float32Array(memory.bytes, firstOffset, 2)
    : new Int32Array(memory.bytes, firstOffset, 2);
  return { largest: found[0]!, index, runnerUp: found[1]! };
}

function transformPlainly(values: Values): void {
  for (let distance = 1; distance < values.length; distance *= 2) {
    for (let block = 0; block < values.length; block += 2 * distance) {
      for (let at = block; at < block + distance; at++) {
        const left = values[at]!;
        const right = values[at + distance]!;
        values[at] = left + right;
        values[at + distance] = left - right;
      }
    }
  }
}

function largestTwoPlainly(values: Values): LargestTwo {
  let [largest, index, runnerUp] = [values[0]!, 0, -Infinity];
  for (let at = 1; at < values.length; at++) {
    const value = values[at]!;
    if (value > largest) [largest, index, runnerUp] = [value, at, largest];
    else if (value > runnerUp) runnerUp = value;
  }
  return { largest, index, runnerUp };
}

function memoryFor(count: number): TransformMemory | undefined {
  if (transformMemory && transformMemory.capacity >= count) return transformMemory;
  const instance = instantiateKernel(valuesOffset + 4 * count);
  if (!instance) return undefined;
  transformMemory = { kernel: instance.kernel, bytes: instance.memory, capacity: count };
  return transformMemory;
}

/** Copies values into the memory, and returns them there. */
function load({ bytes }: TransformMemory, values: Values): Values {
  const inside =
    values instanceof Float32Array
      ? new Float32Array(bytes, valuesOffset, values.length)
      : new Int32Array(bytes, valuesOffset, values.length);
  inside.set(values);
  return inside;
}
