import { TouchmarkError } from '../errors.ts';
import { pathExists, readTextIfPresent } from './project-files.ts';
import { readSecureFile } from './secure-file.ts';

/**
 * Returns what a JSON file holds.
 *
 * @param what names the kind of file in errors, such as `text profile`
 * @throws TouchmarkError CONFIG_INVALID when there is no such file or it is not JSON
 */
export async function readJsonDocument(path: string, what: string): Promise<unknown> {
  const text = await readTextIfPresent(path);
  if (text === undefined) throw missingError(path, what);
  return parseDocument(text, path);
}

/**
 * Returns what a JSON file of mode 0600 holds.
 *
 * @throws TouchmarkError KEY_RING_PERMISSIONS when others may read it; CONFIG_INVALID when there is no
 *   such file or it is not JSON, without any of its text
 */
export async function readSecretDocument(path: string, what: string): Promise<unknown> {
  if (!(await pathExists(path))) throw missingError(path, what);
  return parseDocument(await readSecureFile(path), path);
}

/** Returns what a JSON text holds. @throws TouchmarkError CONFIG_INVALID without any of the text */
export function parseDocument(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TouchmarkError('CONFIG_INVALID', `${where} is not valid JSON.`, {
      hint: 'It holds one JSON document; look at quotes, commas and brackets.',
    });
  }
}

function missingError(path: string, what: string): TouchmarkError {
  return new TouchmarkError('CONFIG_INVALID', `There is no ${what} ${path}.`, {
    hint: 'Give the path of the file.',
  });
}
