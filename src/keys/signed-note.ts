import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { TouchmarkError } from '../errors.ts';
import { keyBytes } from './encoding.ts';
import { publicKeyBytes, publicKeyFromBytes, publicKeyOf } from './signing.ts';

/** Who may have signed a note: a name and an Ed25519 key. */
export interface NoteVerifier {
  readonly name: string;
  readonly publicKey: KeyObject;
}

/** A note of which at least one signature was verified. */
export interface OpenedNote {
  /** What was signed, its last line break included. */
  readonly text: string;
  /** Names of the verifiers that signed, each once. */
  readonly signers: readonly string[];
}

/** The first byte of an Ed25519 key and of what its identifier is hashed from. */
const ed25519 = 1;
const mostSignatures = 100;
const identifierBytes = 4;
const validName = /^[^\s+\p{White_Space}\p{Surrogate}]+$/u;
const forbidden = /[^\P{Cc}\n\x7f-\x9f]|\p{Surrogate}/u;
const signatureLine = /^\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/;

/**
 * Returns a C2SP signed note (c2sp.org/signed-note): the text, a blank line, and one Ed25519
 * signature line.
 *
 * @param text ends with a line break and has no other control characters
 * @param name not empty, without spaces and plus signs
 * @throws TouchmarkError INPUT_INVALID for a text or name that the format does not allow
 */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  if (!isNoteText(text) || !validName.test(name)) {
    throw new TouchmarkError('INPUT_INVALID', 'The note or the name of its signer is malformed.', {
      hint: 'A note ends with a line break; a name has no spaces and no plus sign.',
    });
  }
  const signature = sign(null, Buffer.from(text, 'utf8'), privateKey);
  const identifier = identifierOf(name, publicKeyOf(privateKey));
  const encoded = Buffer.concat([identifier, signature]).toString('base64');
  return `${text}\n\u2014 ${name} ${encoded}\n`;
}

/**
 * Returns a note's text once a signature of one of the verifiers is found right. Signatures of
 * others are passed over, as the format demands; a wrong one of a verifier refuses the note.
 *
 * @throws TouchmarkError EVIDENCE_INVALID for a malformed note, a wrong signature, or none that a
 *   verifier could check
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const end = note.lastIndexOf('\n\n') + 1;
  const text = note.slice(0, end);
  const lines = note.slice(end + 1).split('\n');
  const wellFormed = end > 0 && lines.pop() === '' && lines.length > 0 && isNoteText(text);
  if (!wellFormed || lines.length > mostSignatures) throw noteInvalid('is malformed');
  const signers = new Set<string>();
  for (const line of lines) {
    const { name, identifier, signature } = parseSignature(line);
    const known = verifiers.filter(
      (verifier) =>
        verifier.name === name && identifierOf(name, verifier.publicKey).equals(identifier),
    );
    for (const { publicKey } of known) {
      if (!verify(null, Buffer.from(text, 'utf8'), publicKey, signature)) {
        throw noteInvalid(`has a wrong signature under the name ${name}`);
      }
      signers.add(name);
    }
  }
  if (signers.size === 0) throw noteInvalid('is not signed by a known key');
  return { text, signers: [...signers] };
}

/** Returns the verifier key of a name and key: `name+identifier+key`, as others' tools read it. */
export function verifierKey(name: string, publicKey: KeyObject): string {
  const key = Buffer.concat([Uint8Array.of(ed25519), publicKeyBytes(publicKey)]);
  return `${name}+${identifierOf(name, publicKey).toString('hex')}+${key.toString('base64')}`;
}

/**
 * Reads a verifier key.
 *
 * @throws TouchmarkError INPUT_INVALID unless it is one of an Ed25519 key in its one spelling
 */
export function parseVerifierKey(text: string): NoteVerifier {
  const [name = '', , ...rest] = text.split('+');
  const key = Buffer.from(rest.join('+'), 'base64');
  if (validName.test(name) && key.length === 1 + keyBytes) {
    const publicKey = publicKeyFromBytes(key.subarray(1));
    if (verifierKey(name, publicKey) === text) return { name, publicKey };
  }
  throw new TouchmarkError('INPUT_INVALID', 'The verifier key is malformed.', {
    hint: 'It reads name+identifier+key, with an Ed25519 key.',
  });
}

/** What a log says of itself at one size (c2sp.org/tlog-checkpoint). */
export interface CheckpointFacts {
  /** Names the log; not empty, one line. */
  readonly origin: string;
  /** Leaves of the tree: a whole number of at least 0. */
  readonly size: number;
  /** Root of the RFC 6962 tree, 32 bytes. */
  readonly root: Uint8Array;
  /** Further lines, none of them empty. */
  readonly extensions?: readonly string[];
}

/** Returns the text of a checkpoint, to be signed as a note. */
export function checkpointText({ origin, size, root, extensions = [] }: CheckpointFacts): string {
  const lines = [origin, `${size}`, Buffer.from(root).toString('base64'), ...extensions];
  return `${lines.join('\n')}\n`;
}

/**
 * Reads the text of a checkpoint in its one spelling.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when it is none
 */
export function parseCheckpoint(text: string): Required<CheckpointFacts> {
  const lines = text.split('\n');
  const end = lines.pop();
  const [origin = '', decimal = '', encoded = '', ...extensions] = lines;
  const size = Number(decimal);
  const root = Buffer.from(encoded, 'base64');
  const facts = { origin, size, root, extensions };
  const valid =
    end === '' &&
    !lines.includes('') &&
    /^\d+$/.test(decimal) &&
    Number.isSafeInteger(size) &&
    root.length === 32 &&
    checkpointText(facts) === text;
  if (!valid) throw noteInvalid('is no checkpoint');
  return facts;
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !forbidden.test(text);
}

function parseSignature(line: string) {
  const [, name = '', encoded = ''] = signatureLine.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const valid =
    validName.test(name) && bytes.length > identifierBytes && bytes.toString('base64') === encoded;
  if (!valid) throw noteInvalid('has a malformed signature line');
  return {
    name,
    identifier: bytes.subarray(0, identifierBytes),
    signature: bytes.subarray(identifierBytes),
  };
}

function identifierOf(name: string, publicKey: KeyObject): Buffer {
  const key = Buffer.concat([Uint8Array.of(ed25519), publicKeyBytes(publicKey)]);
  return createHash('sha256').update(`${name}\n`).update(key).digest().subarray(0, identifierBytes);
}

function noteInvalid(reason: string): TouchmarkError {
  return new TouchmarkError('EVIDENCE_INVALID', `The signed note ${reason}.`, {
    hint: 'Take it as its log published it, byte for byte, and the key from a place that you trust.',
  });
}
