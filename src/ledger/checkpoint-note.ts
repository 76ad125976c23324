import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { checkpointText, openNote, parseCheckpoint, signNote } from '../keys/signed-note.ts';

/** What a log says of itself at one size. */
export interface LogFacts {
  /** Entries of the chain. */
  readonly size: number;
  /** Root of the RFC 6962 tree over the entries' hashes, 64 hexadecimal digits. */
  readonly root: string;
  /** The hash of the last entry, likewise. */
  readonly head: string;
  /** ISO 8601 in UTC, by the clock of whoever signed. */
  readonly at: string;
}

const extensionsSchema = z.tuple([
  z.string().regex(/^head [0-9a-f]{64}$/),
  z
    .string()
    .startsWith('time ')
    .refine((line) => z.iso.datetime().safeParse(line.slice(5)).success),
]);

/** Returns the origin of a log's checkpoints, and the name that they are signed under. */
export function logOrigin(identifier: string): string {
  return `touchmark/${identifier}`;
}

/**
 * Returns a checkpoint as a C2SP signed note: origin, size and root, and two extension lines, `head`
 * with the hash of the last entry and `time`.
 *
 * @param identifier the log's, 32 hexadecimal digits
 */
export function signLogCheckpoint(
  identifier: string,
  { size, root, head, at }: LogFacts,
  privateKey: KeyObject,
): string {
  const origin = logOrigin(identifier);
  const extensions = [`head ${head}`, `time ${at}`];
  const text = checkpointText({ origin, size, root: Buffer.from(root, 'hex'), extensions });
  return signNote(text, origin, privateKey);
}

/**
 * Returns what a signed checkpoint says, once its signature is that of `publicKey`.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when it is malformed, signed by another key, or no
 *   checkpoint of a serving log
 */
export function openLogCheckpoint(
  note: string,
  publicKey: KeyObject,
): LogFacts & { readonly identifier: string } {
  const [origin = ''] = note.split('\n', 1);
  const { text } = openNote(note, [{ name: origin, publicKey }]);
  return factsOf(text);
}

/**
 * Returns what a checkpoint says whoever signed it.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when it is no checkpoint of a serving log
 */
export function readUnverifiedCheckpoint(note: string): LogFacts & { readonly identifier: string } {
  return factsOf(note.slice(0, note.lastIndexOf('\n\n') + 1));
}

function factsOf(text: string): LogFacts & { readonly identifier: string } {
  const { origin, size, root, extensions } = parseCheckpoint(text);
  const [, identifier] = /^touchmark\/([0-9a-f]{32})$/.exec(origin) ?? [];
  const lines = extensionsSchema.safeParse(extensions).data;
  if (identifier === undefined || lines === undefined) {
    throw new TouchmarkError('EVIDENCE_INVALID', 'The checkpoint is not one of a serving log.', {
      hint: 'Give what touchmark log checkpoint printed.',
    });
  }
  const [head, at] = [lines[0].slice(5), lines[1].slice(5)];
  return { identifier, size, root: Buffer.from(root).toString('hex'), head, at };
}
