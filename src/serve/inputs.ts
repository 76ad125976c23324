import type { Input, TensorInput } from '../contracts.ts';
import { shown } from '../models/adapters/excerpt.ts';
import { flatten } from '../models/adapters/tensors.ts';
import type { ServedModel } from './answering.ts';
import { RequestError } from './failures.ts';
import type { Limits } from './limits.ts';

/** Throws 400 unless a request holds between one and `maxBatch` inputs. */
export function checkBatch(count: number, { maxBatch }: Limits): void {
  if (count === 0) throw invalid('the batch is empty; send at least one input');
  if (count > maxBatch) {
    throw invalid(`the batch holds ${count} inputs; send at most ${maxBatch} in one request`);
  }
}

/**
 * Returns the inputs of a plain request: texts, or tensors as nested arrays.
 *
 * @throws RequestError 400 naming the position and value of the first one that the model does not
 * take.
 */
export function readInputs(
  values: readonly unknown[],
  input: ServedModel['input'],
  limits: Limits,
): readonly Input[] {
  checkBatch(values.length, limits);
  if (input === 'text') return readTexts(values, 'inputs', limits);
  return values.map((value, row) => readTensor(value, input.tensor, `inputs[${row}]`));
}

/** Returns values as texts. `place` names the list in errors; errors as for `readInputs`. */
export function readTexts(
  values: readonly unknown[],
  place: string,
  { maxTextLength }: Limits,
): readonly string[] {
  return values.map((value, row) => {
    if (typeof value !== 'string') {
      throw invalid(`${place}[${row}] is ${shown(value)}; this model takes texts`);
    }
    if (value.length > maxTextLength) {
      throw invalid(
        `${place}[${row}] is ${value.length} characters long; send at most ${maxTextLength}`,
      );
    }
    const lone = /\p{Surrogate}/u.exec(value);
    if (lone === null) return value;
    throw invalid(
      `${place}[${row}] has the lone surrogate ${codePoint(lone[0])} at position ${lone.index}; send well-formed Unicode`,
    );
  });
}

/**
 * Returns values as float32 numbers. `nameOf` names a position in errors.
 *
 * @throws RequestError 400 on anything that is no number or not finite as a float32 (JSON has no
 * NaN, but 1e999 is read as infinity and 1e39 becomes infinite in 32 bits).
 */
export function readNumbers(
  values: readonly unknown[],
  nameOf: (position: number) => string,
): Float32Array {
  const numbers = new Float32Array(values.length);
  for (const [position, value] of values.entries()) {
    if (typeof value !== 'number') {
      throw invalid(`${nameOf(position)} is ${shown(value)}; every value must be a number`);
    }
    numbers[position] = value;
    if (!Number.isFinite(numbers[position])) {
      throw invalid(`${nameOf(position)} is ${value}; send finite numbers that fit 32 bits`);
    }
  }
  return numbers;
}

/** Returns the error for a request that cannot be understood. */
export function invalid(message: string): RequestError {
  return new RequestError(400, message);
}

function readTensor(value: unknown, shape: readonly number[], place: string): TensorInput {
  if (!Array.isArray(value)) {
    throw invalid(`${place} is ${shown(value)}; this model takes arrays of shape [${shape}]`);
  }
  const flat = flatten(value, shape);
  if (flat === undefined) {
    throw invalid(`${place} is ${shown(value)} and has not the shape [${shape}]; reshape it`);
  }
  return { shape, data: readNumbers(flat, (position) => `${place}[${position}]`) };
}

function codePoint(unit: string): string {
  return `U+${unit.charCodeAt(0).toString(16).toUpperCase()}`;
}
