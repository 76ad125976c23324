import type { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { type Fingerprint, fingerprintId, fingerprintSchema } from './fingerprint.ts';
import { type ProbeSet, probeSetId, probeSetSchema } from './probe-set.ts';
import { type ReferenceNull, referenceNullId, referenceNullSchema } from './reference-null.ts';

interface DocumentKind<Document> {
  readonly noun: string;
  /** Without its version. */
  readonly schemaName: string;
  readonly shape: z.ZodType<Document>;
  readonly idOf: (document: Document) => string;
}

const newestVersion = 1;
/** More are asked for by nobody, and ranking their times takes long. */
const mostTimed = 1000;
const boundedProbeSet = probeSetSchema.refine(
  (set) => set.task !== 'classify' || set.timed <= mostTimed,
  { path: ['timed'], error: `more than ${mostTimed}` },
);
const idPattern = /(?:^|[/\\])((?:fingerprint|probes|references)-[0-9a-f]{16})\.json$/;

/** A document and the name that its content gives it. */
export interface Identified<Document> {
  readonly id: string;
  readonly document: Document;
}

/**
 * Reads the text of a fingerprint's file.
 *
 * @param where names the file in errors; when its name is a hash, the content must have it
 * @throws TouchmarkError FINGERPRINT_INVALID for anything else than a whole and unedited fingerprint of
 *   a version that can be read
 */
export function parseFingerprint(text: string, where: string): Identified<Fingerprint> {
  return parse(text, where, {
    noun: 'fingerprint',
    schemaName: 'touchmark/fingerprint',
    shape: fingerprintSchema,
    idOf: fingerprintId,
  });
}

/** Reads the text of a probe set's file; as `parseFingerprint`. */
export function parseProbeSet(text: string, where: string): Identified<ProbeSet> {
  return parse(text, where, {
    noun: 'probe set',
    schemaName: 'touchmark/probe-set',
    shape: boundedProbeSet,
    idOf: probeSetId,
  });
}

/** Reads the text of a file of references; as `parseFingerprint`. */
export function parseReferences(text: string, where: string): Identified<ReferenceNull> {
  return parse(text, where, {
    noun: 'file of references',
    schemaName: 'touchmark/fingerprint-references',
    shape: referenceNullSchema,
    idOf: referenceNullId,
  });
}

/** Returns a document as its file holds it; the same content is the same text. */
export function renderDocument(document: Fingerprint | ProbeSet | ReferenceNull): string {
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

function parse<Document>(
  text: string,
  where: string,
  kind: DocumentKind<Document>,
): Identified<Document> {
  const content = parseJson(text, where);
  refuseOtherVersions(content, where, kind);
  const result = kind.shape.safeParse(content);
  if (!result.success) {
    const [issue] = result.error.issues;
    const place = issue?.path.slice(0, 6).join('.').slice(0, 80) || 'the document';
    throw invalid(`${where} is no valid ${kind.noun}: ${place}: ${issue?.message.slice(0, 200)}`, {
      hint: 'The file was edited or written by something else; get it again from its source.',
    });
  }
  const id = kind.idOf(result.data);
  const [, promised] = idPattern.exec(where) ?? [];
  if (promised === undefined || promised === id) return { id, document: result.data };
  throw invalid(`${where} was edited: its content has the name ${id}`, {
    hint: 'A fingerprint is named by the hash of what it holds. Restore the file, or take it again.',
  });
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${where} is not complete JSON`, {
      hint: 'The file was cut short or edited; get it again from its source.',
    });
  }
}

function refuseOtherVersions(
  content: unknown,
  where: string,
  { noun, schemaName }: Pick<DocumentKind<never>, 'noun' | 'schemaName'>,
): void {
  const schema =
    typeof content === 'object' && content !== null && 'schema' in content
      ? content.schema
      : undefined;
  const [, name, digits] =
    (typeof schema === 'string' && /^([a-z/-]{1,60})@(\d{1,6})$/.exec(schema)) || [];
  const version = Number(digits);
  if (name !== schemaName) {
    const found = name === undefined ? '' : `; it is a ${name}@${version}`;
    throw invalid(`${where} is no ${noun}${found}`, {
      hint: `A ${noun} says "schema": "${schemaName}@${newestVersion}".`,
    });
  }
  if (version > newestVersion) {
    throw invalid(`${where} is ${name}@${version}, which is newer than this version reads`, {
      hint: `It reads ${name}@${newestVersion}. Update touchmark.`,
    });
  }
  if (version < newestVersion) {
    throw invalid(`${where} is ${name}@${version}, which is older than this version reads`, {
      hint: `It reads ${name}@${newestVersion}. Take the fingerprint again.`,
    });
  }
}

function invalid(message: string, { hint }: { readonly hint: string }): TouchmarkError {
  return new TouchmarkError('FINGERPRINT_INVALID', message, { hint });
}
