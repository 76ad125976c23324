import { createHash } from 'node:crypto';
import type { Input, TensorInput } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { lengthPrefixed, requireWellFormed } from './encoding.ts';

const textDomain = lengthPrefixed('touchmark/v1/input/text');
const tensorDomain = lengthPrefixed('touchmark/v1/input/tensor');
const poolDomain = lengthPrefixed('touchmark/v1/input/pool');
const largestDimension = 2 ** 32 - 1;

/**
 * Returns the bytes that stand for an input wherever a key meets it; equal bytes mean the same
 * question. Text is its NFC form in UTF-8, untrimmed. A tensor is its rank and dimensions as 32-bit
 * little-endian numbers, then its values as float32 little-endian with -0 as 0. Either follows a
 * length-prefixed domain label, so a text never equals a tensor.
 *
 * @throws TouchmarkError INPUT_INVALID for a lone surrogate, a value that is not finite, or a shape
 *   that does not fit the number of values
 */
export function canonicalBytes(input: Input): Buffer {
  return typeof input === 'string' ? textBytes(input) : tensorBytes(input);
}

/**
 * Returns SHA-256 of the canonical bytes: 32 bytes that identify a question for coins, per-query
 * signs and de-duplication.
 *
 * @throws TouchmarkError INPUT_INVALID as `canonicalBytes`
 */
export function inputDigest(input: Input): Buffer {
  return createHash('sha256').update(canonicalBytes(input)).digest();
}

/**
 * Returns `sha256:` and the hexadecimal SHA-256 of the inputs' digests in order: what names a pool
 * of questions without showing it.
 *
 * @throws TouchmarkError INPUT_INVALID as `canonicalBytes`
 */
export function poolDigest(inputs: readonly Input[]): string {
  const hash = createHash('sha256').update(poolDomain);
  for (const input of inputs) hash.update(inputDigest(input));
  return `sha256:${hash.digest('hex')}`;
}

function textBytes(text: string): Buffer {
  requireWellFormed(text, 'input text');
  return Buffer.concat([textDomain, Buffer.from(text.normalize('NFC'), 'utf8')]);
}

function tensorBytes({ shape, data }: TensorInput): Buffer {
  requireShape(shape, data.length);
  const bytes = Buffer.alloc(tensorDomain.length + 4 * (1 + shape.length + data.length));
  let offset = tensorDomain.copy(bytes);
  for (const number of [shape.length, ...shape]) offset = bytes.writeUInt32LE(number, offset);
  for (const [index, value] of data.entries()) {
    if (!Number.isFinite(value)) {
      throw new TouchmarkError('INPUT_INVALID', `The tensor's value ${index} is ${value}.`, {
        hint: 'Send finite numbers within the range of float32.',
      });
    }
    offset = bytes.writeFloatLE(value + 0, offset);
  }
  return bytes;
}

function requireShape(shape: readonly number[], values: number): void {
  const fits = (size: number) => Number.isInteger(size) && size >= 0 && size <= largestDimension;
  const product = shape.reduce((total, size) => total * size, 1);
  if (shape.every(fits) && product === values) return;
  throw new TouchmarkError(
    'INPUT_INVALID',
    `The tensor's shape [${shape.join(', ')}] does not fit its ${values} values.`,
    { hint: 'The dimensions are whole numbers whose product is the number of values.' },
  );
}

/**
 * Returns the input in the form whose bytes are canonical: text as NFC, tensors with -0 as 0. Two
 * spellings of one question become one, for the model as well as for the keys.
 *
 * @throws TouchmarkError INPUT_INVALID as `canonicalBytes`
 */
export function canonicalInput(input: Input): Input {
  if (typeof input === 'string') {
    requireWellFormed(input, 'input text');
    return input.normalize('NFC');
  }
  return { shape: input.shape, data: input.data.map((value) => value + 0) };
}
