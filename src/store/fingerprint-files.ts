import { link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { TouchmarkError } from '../errors.ts';
import {
  type Identified,
  parseFingerprint,
  parseProbeSet,
  parseReferences,
  renderDocument,
} from '../fingerprints/documents.ts';
import type { Fingerprint } from '../fingerprints/fingerprint.ts';
import type { ProbeSet } from '../fingerprints/probe-set.ts';
import type { ReferenceNull } from '../fingerprints/reference-null.ts';
import { errnoOf, storageError, syncDirectory } from './secure-file.ts';

/** The folder of fingerprints that ships with the package. */
export const shippedFingerprints = join(import.meta.dirname, '..', '..', 'fingerprints');

const largestBytes = 256 * 2 ** 20;

/** A document that was read, and where. */
export interface StoredDocument<Document> extends Identified<Document> {
  readonly path: string;
  /** It ships with the package. */
  readonly builtin: boolean;
}

/** A kind of document that is kept in files named `PREFIX-HASH.json`. */
export interface DocumentKind<Document> {
  readonly prefix: 'fingerprint' | 'probes' | 'references';
  readonly noun: string;
  readonly parse: (text: string, where: string) => Identified<Document>;
  readonly nameOf: (document: Document) => string;
}

export const fingerprintKind: DocumentKind<Fingerprint> = {
  prefix: 'fingerprint',
  noun: 'fingerprint',
  parse: parseFingerprint,
  nameOf: ({ model }) => model.name,
};

export const probeSetKind: DocumentKind<ProbeSet> = {
  prefix: 'probes',
  noun: 'probe set',
  parse: parseProbeSet,
  nameOf: ({ name }) => name,
};

export const referencesKind: DocumentKind<ReferenceNull> = {
  prefix: 'references',
  noun: 'file of references',
  parse: parseReferences,
  nameOf: ({ fingerprint }) => fingerprint,
};

/**
 * Reads a document, or returns undefined when there is no such file.
 *
 * @throws TouchmarkError FINGERPRINT_INVALID, also for a file of more than 256 MiB; STORE_DAMAGED
 */
export async function readDocument<Document>(
  kind: DocumentKind<Document>,
  path: string,
): Promise<StoredDocument<Document> | undefined> {
  const text = await readBounded(path);
  if (text === undefined) return undefined;
  const builtin = join(path, '..') === shippedFingerprints;
  return { ...kind.parse(text, path), path, builtin };
}

/**
 * Writes a document under the name of its hash, durably; one that is there already stays as it is.
 *
 * @throws TouchmarkError STORE_FULL, STORE_DAMAGED; FINGERPRINT_INVALID when the file of that name was
 *   edited
 */
export async function writeDocument<Document extends Fingerprint | ProbeSet | ReferenceNull>(
  kind: DocumentKind<Document>,
  directory: string,
  document: Document,
): Promise<StoredDocument<Document>> {
  const text = renderDocument(document);
  const { id } = kind.parse(text, `the new ${kind.noun}`);
  const path = join(directory, `${id}.json`);
  const draft = `${path}.${process.pid}.new`;
  try {
    await mkdir(directory, { recursive: true });
    await writeFileAtomic(draft, text);
    await link(draft, path).finally(() => rm(draft, { force: true }));
    await syncDirectory(directory);
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw storageError('write', path, cause);
    await readDocument(kind, path);
  }
  return { id, document, path, builtin: false };
}

/** Returns the names that files of a kind have in a folder, in sorted order; it need not exist. */
export async function documentIds(
  { prefix }: Pick<DocumentKind<never>, 'prefix'>,
  directory: string,
): Promise<string[]> {
  try {
    const names = await readdir(directory);
    const pattern = new RegExp(`^${prefix}-[0-9a-f]{16}\\.json$`);
    return names
      .filter((name) => pattern.test(name))
      .map((name) => name.slice(0, -'.json'.length))
      .sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw storageError('list', directory, cause);
  }
}

async function readBounded(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      const status = await handle.stat();
      if (status.isFile() && status.size <= largestBytes) return await handle.readFile('utf8');
      const why = status.isFile() ? `has ${status.size} bytes` : 'is no file';
      throw new TouchmarkError('FINGERPRINT_INVALID', `${path} ${why}`, {
        hint: `Fingerprints and probe sets are files of at most ${largestBytes} bytes.`,
      });
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (TouchmarkError.isInstance(cause)) throw cause;
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined;
    throw storageError('read', path, cause);
  }
}
