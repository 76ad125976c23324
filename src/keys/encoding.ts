import { TouchmarkError } from '../errors.ts';

/** Bytes of every key, root, epoch and purpose alike. */
export const keyBytes = 32;
const longestNameBytes = 256;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Returns the concatenation of the parts, each behind its byte length as a 32-bit big-endian
 * number, so that no two different lists of parts give the same bytes. Text is UTF-8.
 */
export function lengthPrefixed(...parts: readonly (string | Uint8Array)[]): Buffer {
  const sizes = parts.map((part) => Buffer.byteLength(part));
  const joined = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + size, 0));
  let offset = 0;
  parts.forEach((part, index) => {
    offset = joined.writeUInt32BE(sizes[index]!, offset);
    if (typeof part === 'string') joined.write(part, offset, 'utf8');
    else joined.set(part, offset);
    offset += sizes[index]!;
  });
  return joined;
}

/**
 * Checks that `text` is well-formed Unicode: a lone surrogate would be replaced in UTF-8, and two
 * different texts would then share their bytes.
 *
 * @throws TouchmarkError INPUT_INVALID naming `what` and the position of the surrogate
 */
export function requireWellFormed(text: string, what: string): void {
  const position = text.search(loneSurrogate);
  if (position < 0) return;
  throw new TouchmarkError(
    'INPUT_INVALID',
    `The ${what} has the lone surrogate ${JSON.stringify(text[position])} at position ${position}.`,
    { hint: 'Send well-formed Unicode.' },
  );
}

/**
 * Checks a tenant's or epoch's name: well-formed Unicode of 1 to 256 bytes in UTF-8.
 *
 * @throws TouchmarkError INPUT_INVALID
 */
export function requireName(name: string, what: 'tenant' | 'epoch'): void {
  requireWellFormed(name, `${what} name`);
  const length = Buffer.byteLength(name, 'utf8');
  if (length > 0 && length <= longestNameBytes) return;
  throw new TouchmarkError(
    'INPUT_INVALID',
    `The ${what} name ${JSON.stringify(name.slice(0, 40))} has ${length} bytes.`,
    { hint: `Use 1 to ${longestNameBytes} bytes of UTF-8.` },
  );
}

/**
 * Checks that a key has 32 bytes; the error never contains any of them.
 *
 * @throws TouchmarkError INPUT_INVALID
 */
export function requireKey(key: Uint8Array, what: string): void {
  if (key.length === keyBytes) return;
  throw new TouchmarkError('INPUT_INVALID', `The ${what} has ${key.length} bytes.`, {
    hint: `Use a key of exactly ${keyBytes} bytes.`,
  });
}
