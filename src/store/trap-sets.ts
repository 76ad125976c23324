import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTextIfPresent } from './project-files.ts';
import { errnoOf, storageError, syncDirectory } from './secure-file.ts';

/** Where a project keeps its trap sets: drafts beside the ledger, sealed ones in `traps/`. */
export interface TrapSetFolders {
  readonly sealed: string;
  readonly drafts: string;
}

/** Returns the path of a sealed set's file. */
export function trapSetPath({ sealed }: TrapSetFolders, id: string): string {
  return join(sealed, `${id}.json`);
}

/**
 * Writes a set where nothing reads it yet, mode 0600; when this resolves it survives a power cut.
 *
 * @throws TouchmarkError STORE_FULL or STORE_DAMAGED; what was written is then no set to anybody
 */
export async function draftTrapSet(
  { drafts }: TrapSetFolders,
  id: string,
  text: string,
): Promise<void> {
  const path = join(drafts, `${id}.json`);
  try {
    const made = await mkdir(drafts, { recursive: true, mode: 0o700 });
    if (made !== undefined) await syncDirectory(dirname(drafts));
    const handle = await open(path, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncDirectory(drafts);
  } catch (cause) {
    throw storageError('write', path, cause);
  }
}

/**
 * Moves a draft to where sealed sets are read.
 *
 * @throws TouchmarkError STORE_FULL or STORE_DAMAGED; the draft is then still there
 */
export async function publishTrapSet(folders: TrapSetFolders, id: string): Promise<void> {
  const path = trapSetPath(folders, id);
  try {
    await mkdir(folders.sealed, { recursive: true });
    await moveFile(join(folders.drafts, `${id}.json`), path);
    await syncDirectory(folders.sealed);
    await syncDirectory(folders.drafts);
  } catch (cause) {
    throw storageError('write', path, cause);
  }
}

/** Also between file systems: by way of a copy under another name, so that no half file is read. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    if (errnoOf(cause) !== 'EXDEV') throw cause;
    const copy = `${to}.new`;
    const handle = await open(copy, 'w', 0o600);
    try {
      await handle.writeFile(await readFile(from));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(copy, to);
    await rm(from);
  }
}

/** Removes a draft that was never sealed. */
export async function discardDraft({ drafts }: TrapSetFolders, id: string): Promise<void> {
  const path = join(drafts, `${id}.json`);
  await rm(path, { force: true }).catch((cause: unknown) => {
    throw storageError('remove', path, cause);
  });
}

/**
 * Returns the text of a sealed set's file, or undefined when there is none. A set that the ledger
 * names and that is still a draft, while its writer moves it or after a crash, is read there.
 */
export async function readTrapSetText(
  folders: TrapSetFolders,
  id: string,
): Promise<string | undefined> {
  const path = trapSetPath(folders, id);
  const draft = join(folders.drafts, `${id}.json`);
  return (
    (await readTextIfPresent(path)) ??
    (await readTextIfPresent(draft)) ??
    (await readTextIfPresent(path))
  );
}

/** Returns the names of the sets whose files are in `traps/`, in sorted order. */
export function listTrapSets({ sealed }: TrapSetFolders): Promise<string[]> {
  return setNames(sealed);
}

/** Returns the names of the drafts, in sorted order. */
export function listDrafts({ drafts }: TrapSetFolders): Promise<string[]> {
  return setNames(drafts);
}

async function setNames(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names
      .filter((name) => /^[a-z]+-[0-9a-f]{16}\.json$/.test(name))
      .map((name) => name.slice(0, -'.json'.length))
      .sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw storageError('list', directory, cause);
  }
}
