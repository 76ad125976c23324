import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent } from './project-files.ts';
import { RunDirectory, runFiles } from './run-directory.ts';
import { storageError } from './secure-file.ts';

/** Makes the directory where the answers to a probe set are kept until a fingerprint is made of them. */
export async function makeTakingDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(refused('make', directory));
}

/**
 * Opens the answers that an interrupted taking left, to go on with them; those of another taking are
 * thrown away.
 *
 * @param description says who was asked and what
 * @throws TouchmarkError STORE_DAMAGED naming the line that cannot be read; STORE_FULL
 */
export async function openTakingAnswers(
  directory: string,
  description: string,
): Promise<RunDirectory> {
  const before = await readTextIfPresent(join(directory, runFiles.plan));
  if (before === description) return RunDirectory.resume(directory);
  await forgetTakingAnswers(directory);
  return RunDirectory.create(directory, description, '{}\n');
}

/** Forgets answers; what a crash leaves of them is forgotten by the next taking. */
export async function forgetTakingAnswers(directory: string): Promise<void> {
  for (const name of [runFiles.plan, runFiles.runLog, runFiles.material]) {
    await rm(join(directory, name), { force: true }).catch(refused('remove', directory));
  }
}

/** Removes the directory of a taking that is over. */
export async function removeTakingDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true }).catch(refused('remove', directory));
}

function refused(action: string, path: string): (cause: unknown) => never {
  return (cause) => {
    throw storageError(action, path, cause);
  };
}
