import { writeSync } from 'node:fs';
import { access, type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { TouchmarkError } from '../errors.ts';

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Returns the error to throw when the file system refused: STORE_FULL or STORE_DAMAGED. */
export function storageError(action: string, path: string, cause: unknown): TouchmarkError {
  if (TouchmarkError.isInstance(cause)) return cause;
  const code = errnoOf(cause) ?? 'unknown error';
  return fullCodes.has(code)
    ? new TouchmarkError('STORE_FULL', `No room to ${action} ${path} (${code}).`, {
        hint: 'Free space on its file system or raise its quota; nothing acknowledged was lost.',
        cause,
      })
    : damagedError(action, path, cause);
}

function damagedError(action: string, path: string, cause: unknown): TouchmarkError {
  const code = errnoOf(cause) ?? 'unknown error';
  return new TouchmarkError('STORE_DAMAGED', `Could not ${action} ${path} (${code}).`, {
    hint: 'Check that the path exists, that this user may write there, and that the disk is well.',
    cause,
  });
}

/** Runs file work, turning what the file system refuses into a TouchmarkError. */
export async function guarded<Value>(
  action: string,
  path: string,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    throw storageError(action, path, cause);
  }
}

/** Returns the file's bytes, or undefined when there is no such file. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw storageError('read', path, cause);
  }
}

/** Decides whether something has this name. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Returns the names in a directory in sorted order; none when there is no such directory. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw storageError('list', directory, cause);
  }
}

/** Makes new and removed names in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  await guarded('synchronise', directory, async () => {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Splits a file of lines into its complete lines and the byte length of the incomplete rest. */
export function splitLines(bytes: Buffer): { readonly lines: string[]; readonly rest: number } {
  const end = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  return { lines, rest: bytes.length - end };
}

/** Returns the errno name of a failed system call. */
export function errnoOf(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const mostBytesAtOnce = 256 * 1024;

function writeAtOnce(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written);
  }
}

/** A file that grows at its end only, and that shrinks back when a write fails halfway. */
export class AppendFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #isQuick: boolean;
  #size: number;
  #dirty = false;
  /** The sync under way, which whoever asks for one meanwhile waits for too. */
  #syncing: Promise<void> | undefined;
  #closed = false;

  private constructor(path: string, handle: FileHandle, size: number, isQuick: boolean) {
    this.path = path;
    this.#handle = handle;
    this.#isQuick = isQuick;
    this.#size = size;
  }

  /**
   * Opens or creates the file with mode 0600.
   *
   * @param options.quick for files that are written thousands of times a second
   */
  static async open(path: string, { quick = false } = {}): Promise<AppendFile> {
    return guarded('open', path, async () => {
      const handle = await open(path, 'a', 0o600);
      return new AppendFile(path, handle, (await handle.stat()).size, quick);
    });
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Hands the bytes to the operating system, so that they outlive this process. A quick file's few
   * bytes are handed over without a detour by another thread, which would take seven times as long,
   * unless the file is being synchronised, when handing over may have to wait for the disk.
   */
  async append(bytes: Uint8Array): Promise<void> {
    const before = this.#size;
    this.#dirty = true;
    try {
      if (this.#isQuick && this.#syncing === undefined && bytes.length <= mostBytesAtOnce) {
        writeAtOnce(this.#handle.fd, bytes);
      } else await this.#handle.appendFile(bytes);
      this.#size = before + bytes.length;
    } catch (cause) {
      await this.truncate(before);
      throw storageError('write to', this.path, cause);
    }
  }

  async truncate(size: number): Promise<void> {
    await guarded('truncate', this.path, () => this.#handle.truncate(size));
    this.#size = size;
    this.#dirty = true;
  }

  /**
   * Makes what was appended so far survive a power cut.
   *
   * @throws TouchmarkError STORE_DAMAGED whatever the reason: the system may have dropped what it
   *   could not write, so trying again would promise too much
   */
  async sync(): Promise<void> {
    if (this.#closed) return;
    if (!this.#dirty) return this.#syncing;
    this.#dirty = false;
    const syncing = this.#datasync();
    this.#syncing = syncing;
    try {
      await syncing;
    } finally {
      if (this.#syncing === syncing) this.#syncing = undefined;
    }
  }

  async #datasync(): Promise<void> {
    try {
      await this.#handle.datasync();
    } catch (cause) {
      throw damagedError('synchronise', this.path, cause);
    }
  }

  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      this.#closed = true;
      await this.#handle.close();
    }
  }
}
