import { appendFile, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathExists, readTextIfPresent, replaceFile } from './project-files.ts';
import { RunDirectory } from './run-directory.ts';
import { storageError } from './secure-file.ts';

/** Texts kept by name, each in a file of its own. */
export interface TextCache {
  read(key: string): Promise<string | undefined>;
  write(key: string, text: string): Promise<void>;
}

/** Returns the cache in a directory. Names become file names: hexadecimal digits only. */
export function openTextCache(directory: string): TextCache {
  const pathOf = (key: string) => join(directory, `${key}.json`);
  return {
    read: (key) => readTextIfPresent(pathOf(key)),
    write: (key, text) => replaceFile(pathOf(key), text),
  };
}

/**
 * Opens the answers that a build of region traps has from the protected model, so that it goes on
 * where an interrupted one stopped.
 *
 * @param description says what was asked; answers under another one belong in another directory
 * @throws TouchmarkError STORE_DAMAGED naming the line that cannot be read; STORE_FULL
 */
export async function openBuildAnswers(
  directory: string,
  description: string,
): Promise<RunDirectory> {
  if (await pathExists(join(directory, 'plan.json'))) return RunDirectory.resume(directory);
  return RunDirectory.create(directory, description, '{}\n');
}

/** Forgets the answers of a build. */
export async function discardBuildAnswers(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true }).catch((cause: unknown) => {
    throw storageError('remove', directory, cause);
  });
}

/** Returns the digests of questions that were built into traps before, in hexadecimal. */
export async function readUsedQuestions(path: string): Promise<Set<string>> {
  const text = (await readTextIfPresent(path)) ?? '';
  return new Set(text.split('\n').filter((line) => /^[0-9a-f]{64}$/.test(line)));
}

/** Adds digests of questions to those that no later set may use; durable when it resolves. */
export async function noteUsedQuestions(path: string, digests: readonly string[]): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await appendFile(path, `\n${digests.join('\n')}\n`, { mode: 0o600 });
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw storageError('write', path, cause);
  }
}
