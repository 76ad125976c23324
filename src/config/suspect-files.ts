import { open } from 'node:fs/promises';
import { TouchmarkError } from '../errors.ts';

const largestBytes = 2 * 2 ** 30 - 1;

/**
 * Returns what a file holds that a suspect's specification names: a model, a record, a certificate or
 * a secret. Nothing of it is part of an error.
 *
 * @throws TouchmarkError INPUT_INVALID when there is no such file, it is no file, or it has 2 GiB
 */
export async function readSuspectFile(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path, 'r');
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw unreadable(path, 'is no file');
      if (status.size > largestBytes) throw unreadable(path, 'has 2 GiB or more');
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (TouchmarkError.isInstance(cause)) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw unreadable(path, code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`, cause);
  }
}

function unreadable(path: string, what: string, cause?: unknown): TouchmarkError {
  return new TouchmarkError('INPUT_INVALID', `the suspect's file ${path} ${what}`, {
    hint: 'check the path that the suspect names, and who may read it',
    cause,
  });
}
