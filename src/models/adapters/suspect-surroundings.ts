import { TouchmarkError } from '../../errors.ts';

/** What a suspect may need of the machine that asks it. */
export interface Surroundings {
  /** Returns what a file holds; without it no local file is read. */
  readonly readFile?: (path: string) => Promise<Uint8Array>;
  /** Where secrets are looked up by name, and what programs are given; default the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Returns what a file holds. @throws USAGE when no files may be read */
export function readWith({ readFile }: Surroundings, path: string): Promise<Uint8Array> {
  if (readFile !== undefined) return readFile(path);
  throw new TouchmarkError('USAGE', `"${path}" cannot be read: there is no reader of files`, {
    hint: 'give openClassifier the option readFile, such as that of node:fs/promises',
  });
}
