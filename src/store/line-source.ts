import { open } from 'node:fs/promises';
import { TouchmarkError } from '../errors.ts';
import { storageError } from './secure-file.ts';

/**
 * Returns the bytes of a file piece by piece, read as they are asked for.
 *
 * @throws TouchmarkError INPUT_INVALID when there is no such file; STORE_DAMAGED when it cannot be read
 */
export async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) {
      throw storageError('read', path, cause);
    }
    throw new TouchmarkError('INPUT_INVALID', `There is no file ${path}.`, {
      hint: 'Give the path of a file of JSON lines, or leave it out to read them from stdin.',
    });
  });
  try {
    for await (const piece of handle.createReadStream({ autoClose: false })) {
      if (piece instanceof Uint8Array) yield piece;
    }
  } catch (cause) {
    throw TouchmarkError.isInstance(cause) ? cause : storageError('read', path, cause);
  } finally {
    await handle.close();
  }
}
