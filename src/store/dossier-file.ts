import { readFile, stat } from 'node:fs/promises';
import { TouchmarkError } from '../errors.ts';
import { storageError } from './secure-file.ts';

/** Larger files are no dossiers: one of 100,000 questions has some 200 MB. */
const largestBytes = 512 * 2 ** 20;

/**
 * Returns the text of a dossier's file, which must be UTF-8 byte for byte.
 *
 * @throws TouchmarkError USAGE when there is no such file; EVIDENCE_INVALID for a file that cannot be
 *   a dossier; STORE_DAMAGED when it cannot be read
 */
export async function readDossierFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) {
    throw new TouchmarkError('USAGE', `There is no file ${path}.`, {
      hint: 'Give the NAME.dossier.json of an audit.',
    });
  }
  if (found.size > largestBytes) throw noDossier(path, `has ${found.size} bytes`);
  const bytes = await readFile(path).catch((cause) => {
    throw storageError('read', path, cause);
  });
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  throw noDossier(path, 'is not UTF-8');
}

function noDossier(path: string, why: string): TouchmarkError {
  return new TouchmarkError('EVIDENCE_INVALID', `${path} ${why}: it is no dossier`, {
    hint: 'ask its owner for the file as it was written',
  });
}
