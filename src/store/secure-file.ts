import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { TouchmarkError } from '../errors.ts';

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Returns the text of a secret file that nobody but its owner may read.
 *
 * @throws TouchmarkError KEY_RING_PERMISSIONS naming the mode; KEY_RING_INVALID when there is no such
 *   file; STORE_DAMAGED when it cannot be read
 */
export async function readSecureFile(path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { mode } = await handle.stat();
      if ((mode & 0o077) !== 0) throw permissionsError(path, mode);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (TouchmarkError.isInstance(cause)) throw cause;
    if (errnoOf(cause) !== 'ENOENT') throw storageError('read', path, cause);
    throw new TouchmarkError('KEY_RING_INVALID', `There is no file ${path}.`, {
      hint: 'Make a key ring with `touchmark keys generate`, or give the path of yours.',
      cause,
    });
  }
}

/**
 * Replaces a secret file as a whole, mode 0600, so that a crash leaves either the old or the new
 * text; when this resolves, the new one survives a power cut.
 *
 * @throws TouchmarkError STORE_FULL or STORE_DAMAGED; the old text is then still there
 */
export async function writeSecureFile(path: string, text: string): Promise<void> {
  try {
    await writeFileAtomic(path, text, { mode: 0o600 });
    await syncDirectory(dirname(path));
  } catch (cause) {
    throw storageError('write', path, cause);
  }
}

/**
 * Writes a secret file that must not exist yet, and its directories, private to the owner.
 *
 * @throws TouchmarkError USAGE when the file exists; STORE_FULL or STORE_DAMAGED
 */
export async function createSecureFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(draft, text, { mode: 0o600 });
    await link(draft, path).finally(() => rm(draft));
    await syncDirectory(dirname(path));
  } catch (cause) {
    const exists = errnoOf(cause) === 'EEXIST' && cause instanceof Error && 'dest' in cause;
    if (!exists) throw storageError('write', path, cause);
    throw new TouchmarkError('USAGE', `${path} exists already.`, {
      hint: 'A key ring is never overwritten: its epochs could not be proved any more. Use another path.',
      cause,
    });
  }
}

/** Returns the error to throw when the file system refused: STORE_FULL or STORE_DAMAGED. */
export function storageError(action: string, path: string, cause: unknown): TouchmarkError {
  const code = errnoOf(cause) ?? 'unknown error';
  return fullCodes.has(code)
    ? new TouchmarkError('STORE_FULL', `No room to ${action} ${path} (${code}).`, {
        hint: 'Free space on its file system or raise its quota, then try again.',
        cause,
      })
    : new TouchmarkError('STORE_DAMAGED', `Could not ${action} ${path} (${code}).`, {
        hint: 'Check that the path exists, that this user may use it, and that the disk is well.',
        cause,
      });
}

function permissionsError(path: string, mode: number): TouchmarkError {
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return new TouchmarkError('KEY_RING_PERMISSIONS', `${path} has mode ${octal}.`, {
    hint: `Others than its owner can use it. Run: chmod 600 ${path}`,
  });
}

/** Makes new and removed names in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Returns the errno name of a failed system call. */
export function errnoOf(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
