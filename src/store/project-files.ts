import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { Input } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { canonicalBytes } from '../keys/canonical-input.ts';
import { storageError } from './secure-file.ts';

const packageDirectory = join(import.meta.dirname, '..', '..');
const tensorSchema = z.strictObject({
  shape: z.array(z.int().nonnegative()).max(8),
  data: z.array(z.number()),
});

/** Returns the text of a file that ships with the package, such as `traps/README.md`. */
export async function readShippedFile(name: string): Promise<string> {
  const path = join(packageDirectory, name);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw storageError('read', path, cause);
  }
}

/** Returns the version of the installed package. */
export async function toolkitVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readShippedFile('package.json'));
  return z.object({ version: z.string() }).parse(manifest).version;
}

/** Decides whether something has this name. */
export async function pathExists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Writes a file that must not exist yet, line by line, and makes it durable. What was written is
 * removed when the lines or the disk fail.
 *
 * @param mode permission bits; directories that are missing are made private for a private file
 * @throws TouchmarkError USAGE when the file exists; STORE_FULL or STORE_DAMAGED
 */
export async function createFile(
  path: string,
  lines: Iterable<string> | AsyncIterable<string>,
  mode: 0o600 | 0o644,
): Promise<void> {
  const handle = await openNew(path, mode);
  try {
    for await (const line of lines) await handle.writeFile(line).catch(refused('write', path));
    await handle.sync().catch(refused('write', path));
  } catch (cause) {
    await rm(path, { force: true });
    throw cause;
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file as a whole, so that a crash leaves either the old or the new text.
 *
 * @throws TouchmarkError STORE_FULL or STORE_DAMAGED
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch(refused('make a directory for', path));
  await writeFileAtomic(path, text).catch(refused('write', path));
}

/** Makes a directory that must not exist yet. @throws TouchmarkError USAGE when it does */
export async function createDirectory(path: string): Promise<void> {
  if (await pathExists(path)) throw existsError(path);
  await mkdir(path, { recursive: true }).catch(refused('make', path));
}

/** Returns the text of a file, or undefined when there is none. @throws TouchmarkError STORE_DAMAGED */
export async function readTextIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw storageError('read', path, cause);
  }
}

/**
 * Returns an owner's questions, one per line; empty lines are skipped. In a `.jsonl` file a line is
 * a JSON string or a tensor `{"shape": [...], "data": [...]}`; in any other file it is the text.
 *
 * @throws TouchmarkError INPUT_INVALID naming file and line, or the file when there is none
 */
export async function readInputFile(path: string): Promise<Input[]> {
  const text = await readTextIfPresent(path);
  if (text === undefined) {
    throw new TouchmarkError('INPUT_INVALID', `There is no file of questions ${path}.`, {
      hint: 'Put your own questions there, one per line, or name another file under inputs:.',
    });
  }
  const read = path.endsWith('.jsonl') ? readJsonLine : (line: string): Input => line;
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => (line === '' ? [] : [readLine(path, index + 1, () => read(line))]));
}

function readLine(path: string, number: number, read: () => Input): Input {
  try {
    const input = read();
    canonicalBytes(input);
    return input;
  } catch (cause) {
    const reason = TouchmarkError.isInstance(cause) ? cause.message : 'not valid JSON.';
    throw new TouchmarkError('INPUT_INVALID', `${path}:${number}: ${reason}`, {
      hint: 'A line is a JSON string or {"shape": [...], "data": [...]} in .jsonl, else plain text.',
      cause,
    });
  }
}

function readJsonLine(line: string): Input {
  const value: unknown = JSON.parse(line);
  if (typeof value === 'string') return value;
  const { success, data } = tensorSchema.safeParse(value);
  if (success) return { shape: data.shape, data: Float32Array.from(data.data) };
  throw new TouchmarkError('INPUT_INVALID', 'neither a string nor a tensor.');
}

async function openNew(path: string, mode: number): Promise<FileHandle> {
  const directoryMode = mode === 0o600 ? 0o700 : 0o755;
  await mkdir(dirname(path), { recursive: true, mode: directoryMode }).catch(
    refused('make a directory for', path),
  );
  try {
    return await open(path, 'wx', mode);
  } catch (cause) {
    throw errnoOf(cause) === 'EEXIST' ? existsError(path) : storageError('write', path, cause);
  }
}

function existsError(path: string): TouchmarkError {
  return new TouchmarkError('USAGE', `${path} exists already.`, {
    hint: 'Nothing is ever overwritten: move it away, or choose another name.',
  });
}

function refused(action: string, path: string): (cause: unknown) => never {
  return (cause) => {
    throw storageError(action, path, cause);
  };
}

function errnoOf(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
