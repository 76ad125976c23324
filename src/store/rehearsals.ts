import { mkdir, open, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFile, readTextIfPresent } from './project-files.ts';
import { errnoOf, storageError } from './secure-file.ts';

/** The text of a rehearsal and the file that it is in. */
export interface StoredRehearsal {
  readonly path: string;
  readonly text: string;
}

/** Returns where a rehearsal is kept. */
export function rehearsalPath(directory: string, id: string): string {
  return join(directory, `${id}.json`);
}

/**
 * Keeps a rehearsal for good; one that is there already stays as it is.
 *
 * @throws TouchmarkError STORE_FULL or STORE_DAMAGED
 */
export async function storeRehearsal(directory: string, id: string, text: string): Promise<void> {
  const path = rehearsalPath(directory, id);
  if ((await readTextIfPresent(path)) === text) return;
  await createFile(path, [text], 0o600);
}

/** Returns all rehearsals in a directory, by name; none where there is no such directory. */
export async function readRehearsals(directory: string): Promise<StoredRehearsal[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw storageError('read', directory, cause);
  });
  const paths = names
    .filter((name) => /^rehearsal-[0-9a-f]{16}\.json$/.test(name))
    .sort()
    .map((name) => join(directory, name));
  return Promise.all(
    paths.map(async (path) => ({
      path,
      text: await readFile(path, 'utf8').catch((cause: unknown) => {
        throw storageError('read', path, cause);
      }),
    })),
  );
}

/** What a rehearsal under way has done so far: a first line, then one for each finished piece. */
export class RehearsalWork {
  readonly #path: string;
  readonly #lines: string[];

  private constructor(path: string, lines: string[]) {
    this.#path = path;
    this.#lines = lines;
  }

  /**
   * Opens the work in a file, to go on with it, or begins it; a line that a crash cut short is dropped.
   *
   * @param first the first line of new work
   * @throws TouchmarkError STORE_FULL or STORE_DAMAGED
   */
  static async open(path: string, first: string): Promise<RehearsalWork> {
    const text = (await readTextIfPresent(path)) ?? '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const work = new RehearsalWork(path, whole.split('\n').slice(0, -1));
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
    } catch (cause) {
      throw storageError('write', path, cause);
    }
    if (work.#lines.length === 0) await work.append(first);
    return work;
  }

  get first(): string {
    return this.#lines[0] ?? '';
  }

  /** The lines after the first. */
  get lines(): readonly string[] {
    return this.#lines.slice(1);
  }

  /** Adds a line and resolves once it would survive a crash. */
  async append(line: string): Promise<void> {
    try {
      const handle = await open(this.#path, 'a', 0o600);
      try {
        await handle.appendFile(`${line}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw storageError('write', this.#path, cause);
    }
    this.#lines.push(line);
  }

  /** Removes the work once its result is kept. */
  async discard(): Promise<void> {
    await rm(this.#path, { force: true }).catch((cause: unknown) => {
      throw storageError('remove', this.#path, cause);
    });
  }
}
