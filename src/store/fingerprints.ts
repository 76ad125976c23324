import { join, resolve } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import type { Fingerprint } from '../fingerprints/fingerprint.ts';
import type { ProbeSet } from '../fingerprints/probe-set.ts';
import type { ReferenceNull } from '../fingerprints/reference-null.ts';
import {
  type DocumentKind,
  documentIds,
  fingerprintKind,
  probeSetKind,
  readDocument,
  referencesKind,
  type StoredDocument,
  shippedFingerprints,
  writeDocument,
} from './fingerprint-files.ts';

/** Documents of one kind that were read, and why others were not. */
export interface ListedDocuments<Document> {
  readonly documents: readonly StoredDocument<Document>[];
  readonly problems: readonly string[];
}

/**
 * A folder of fingerprints and of the probe sets that they were taken with: JSON files that are named
 * by the hash of what they hold. What is read may come from anybody, and is checked.
 */
export class FingerprintStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = resolve(directory);
  }

  /** Keeps a fingerprint; errors as for `writeDocument`. */
  saveFingerprint(fingerprint: Fingerprint): Promise<StoredDocument<Fingerprint>> {
    return writeDocument(fingerprintKind, this.directory, fingerprint);
  }

  /** Keeps a probe set; errors as for `writeDocument`. */
  saveProbeSet(probes: ProbeSet): Promise<StoredDocument<ProbeSet>> {
    return writeDocument(probeSetKind, this.directory, probes);
  }

  /** Keeps what a protected model's fingerprint is ranked among; errors as for `writeDocument`. */
  saveReferences(references: ReferenceNull): Promise<StoredDocument<ReferenceNull>> {
    return writeDocument(referencesKind, this.directory, references);
  }

  /** Returns the folder's own files of references. */
  async listReferences(): Promise<ListedDocuments<ReferenceNull>> {
    return readAll(referencesKind, [this.directory]);
  }

  /**
   * Returns the fingerprint that a reference denotes: the path of a file, `builtin:NAME`, an
   * identifier or the beginning of one, or the name of a model.
   *
   * @throws TouchmarkError USAGE when it denotes none, or several, which it lists;
   *   FINGERPRINT_INVALID, STORE_DAMAGED
   */
  findFingerprint(reference: string): Promise<StoredDocument<Fingerprint>> {
    return this.#find(fingerprintKind, reference);
  }

  /** Returns the probe set that a reference denotes; as `findFingerprint`, by its own name. */
  findProbeSet(reference: string): Promise<StoredDocument<ProbeSet>> {
    return this.#find(probeSetKind, reference);
  }

  /** Returns the probe set of a fingerprint; undefined when it is neither here, nor beside it, nor shipped. */
  async probeSetOf(fingerprint: StoredDocument<Fingerprint>): Promise<ProbeSet | undefined> {
    const name = `${fingerprint.document.probeSet}.json`;
    for (const directory of [this.directory, join(fingerprint.path, '..'), shippedFingerprints]) {
      const stored = await readDocument(probeSetKind, join(directory, name));
      if (stored !== undefined) return stored.document;
    }
    return undefined;
  }

  /** Returns all fingerprints, the folder's own before those that ship with the package. */
  async listFingerprints(): Promise<ListedDocuments<Fingerprint>> {
    return readAll(fingerprintKind, [this.directory, shippedFingerprints]);
  }

  /** Returns the folder's own probe sets. */
  async listProbeSets(): Promise<ListedDocuments<ProbeSet>> {
    return readAll(probeSetKind, [this.directory]);
  }

  async #find<Document>(
    kind: DocumentKind<Document>,
    reference: string,
  ): Promise<StoredDocument<Document>> {
    const [, shippedName] = /^builtin:(.*)$/s.exec(reference) ?? [];
    if (shippedName !== undefined) return this.#findNamed(kind, reference, shippedName);
    if (/[/\\]|\.json$/.test(reference)) {
      const stored = await readDocument(kind, resolve(reference));
      if (stored !== undefined) return stored;
      throw new TouchmarkError('USAGE', `There is no file ${reference}.`, {
        hint: `Give the path of a ${kind.noun}, its identifier, or its name.`,
      });
    }
    const paths = await this.#pathsBeginning(kind, reference);
    if (paths.length > 1) throw ambiguous(kind, reference, paths);
    if (paths.length === 1) return (await readDocument(kind, paths[0]!))!;
    return this.#findNamed(kind, reference, reference);
  }

  /** Paths of files whose names begin so, with or without the prefix of their kind. */
  async #pathsBeginning<Document>(
    kind: DocumentKind<Document>,
    beginning: string,
  ): Promise<string[]> {
    const digits = beginning.replace(new RegExp(`^${kind.prefix}-`), '');
    if (!/^[0-9a-f]{4,16}$/.test(digits)) return [];
    const found = new Map<string, string>();
    for (const directory of [shippedFingerprints, this.directory]) {
      for (const id of await documentIds(kind, directory)) {
        if (id.startsWith(`${kind.prefix}-${digits}`)) found.set(id, join(directory, `${id}.json`));
      }
    }
    return [...found.values()];
  }

  async #findNamed<Document>(
    kind: DocumentKind<Document>,
    reference: string,
    name: string,
  ): Promise<StoredDocument<Document>> {
    const isShipped = reference.startsWith('builtin:');
    const directory = isShipped ? shippedFingerprints : this.directory;
    const { documents, problems } = await readAll(kind, [directory]);
    const named = documents.filter(({ document }) => kind.nameOf(document) === name);
    const [first] = named;
    if (named.length > 1) {
      throw ambiguous(
        kind,
        reference,
        named.map(({ path }) => path),
      );
    }
    if (first !== undefined) return first;
    const known = documents.map(({ id, document, builtin }) =>
      builtin ? `builtin:${kind.nameOf(document)}` : `${id} (${kind.nameOf(document)})`,
    );
    const where = isShipped ? 'The package ships' : `${directory} has`;
    throw new TouchmarkError('USAGE', `There is no ${kind.noun} ${JSON.stringify(reference)}.`, {
      hint: [`${where}: ${known.slice(0, 12).join(', ') || 'none'}.`, ...problems.slice(0, 3)].join(
        '\n',
      ),
    });
  }
}

async function readAll<Document>(
  kind: DocumentKind<Document>,
  directories: readonly string[],
): Promise<ListedDocuments<Document>> {
  const documents = new Map<string, StoredDocument<Document>>();
  const problems: string[] = [];
  for (const directory of directories) {
    for (const id of await documentIds(kind, directory)) {
      if (documents.has(id)) continue;
      try {
        const stored = await readDocument(kind, join(directory, `${id}.json`));
        if (stored !== undefined) documents.set(id, stored);
      } catch (cause) {
        if (!TouchmarkError.isInstance(cause)) throw cause;
        problems.push(cause.message);
      }
    }
  }
  return { documents: [...documents.values()], problems };
}

function ambiguous(
  { noun }: Pick<DocumentKind<never>, 'noun'>,
  reference: string,
  paths: readonly string[],
): TouchmarkError {
  const listed = paths.slice(0, 12).join('\n');
  return new TouchmarkError(
    'USAGE',
    `${JSON.stringify(reference)} denotes ${paths.length} of them:\n${listed}`,
    { hint: `Give the identifier of one ${noun}, or the path of its file.` },
  );
}
