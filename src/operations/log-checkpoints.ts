import { createHash, type KeyObject } from 'node:crypto';
import { TouchmarkError } from '../errors.ts';
import { merkleRoot } from '../keys/merkle.ts';
import { verifierKey } from '../keys/signed-note.ts';
import { keyIdentifier, publicKeyOf } from '../keys/signing.ts';
import { statedTime } from '../keys/timestamp.ts';
import type { ChainEntry } from '../ledger/chain.ts';
import { type LogFacts, logOrigin, openLogCheckpoint } from '../ledger/checkpoint-note.ts';
import { keepDatedCheckpoint, readDatedCheckpoints } from '../ledger/checkpoint-tokens.ts';
import { leafOf, type ProvenEntry, proveEntries, proveExtension } from '../ledger/log-proofs.ts';
import { newestSignedCheckpoint, readChain } from '../ledger/read-log.ts';
import { openServingLog } from '../ledger/serving-log.ts';
import { fetchTimestamp } from '../models/adapters/timestamp-authority.ts';
import { pathExists, readTextIfPresent } from '../store/project-files.ts';
import { openProject, openProjectRing, type ProjectOptions } from './project.ts';

/** The newest signed checkpoint of a log, and what checks it. */
export interface PublishedCheckpoint extends LogFacts {
  /** The signed note, exactly the bytes to publish. */
  readonly note: string;
  readonly identifier: string;
  /** What others' tools check the note with: `name+identifier+key`. */
  readonly verifierKey: string;
  /** SHA-256 of the public key's SPKI form, in hexadecimal. */
  readonly keyIdentifier: string;
}

/**
 * Returns the newest signed checkpoint of a project's log, once its signature is checked.
 *
 * @throws TouchmarkError USAGE when none is signed; EVIDENCE_INVALID when another key signed
 */
export async function publishedCheckpoint(options: ProjectOptions): Promise<PublishedCheckpoint> {
  const { note, publicKey } = await openNewest(options);
  const facts = openLogCheckpoint(note, publicKey);
  return {
    note,
    ...facts,
    verifierKey: verifierKey(logOrigin(facts.identifier), publicKey),
    keyIdentifier: keyIdentifier(publicKey),
  };
}

/**
 * Has a timestamp authority date the newest signed checkpoint, and keeps its word for dossiers: what
 * the log holds up to there was then not written after a suspect was known.
 *
 * @returns the checkpoint, and when the authority says that it saw it, ISO 8601
 * @throws TouchmarkError CONFIG_INVALID without audit.timestampAuthority; as `publishedCheckpoint` and
 *   `fetchTimestamp`
 */
export async function dateCheckpoint(
  options: ProjectOptions & { readonly signal: AbortSignal; readonly now: Date },
): Promise<PublishedCheckpoint & { readonly seenAt: string }> {
  const { config, path } = await openProject(options);
  const { timestampAuthority } = config.audit;
  if (timestampAuthority === undefined) {
    throw new TouchmarkError('CONFIG_INVALID', `${path} names no timestamp authority.`, {
      hint: 'Set audit.timestampAuthority to the address of one that speaks RFC 3161.',
    });
  }
  const published = await publishedCheckpoint(options);
  const digest = createHash('sha256').update(published.note).digest();
  const token = await fetchTimestamp(new URL(timestampAuthority), digest, options.signal);
  const seenAt = statedTime(token, digest);
  const dated = { checkpoint: published.note, token: token.toString('base64') };
  await keepDatedCheckpoint(config.log.directory, dated, options.now);
  return { ...published, seenAt };
}

/**
 * Returns the earliest dated checkpoint that covers an entry, among those up to a size of the log;
 * undefined when none is dated.
 *
 * @throws TouchmarkError LOG_INVALID for a damaged file; EVIDENCE_INVALID for another key's checkpoint
 */
export async function earliestDatedCheckpoint(
  directory: string,
  publicKey: KeyObject,
  { covering, within }: { readonly covering: number; readonly within: number },
): Promise<{ readonly size: number; readonly note: string; readonly token: string } | undefined> {
  const dated = (await readDatedCheckpoints(directory)).map(({ checkpoint, token }) => ({
    ...{ note: checkpoint, token },
    size: openLogCheckpoint(checkpoint, publicKey).size,
  }));
  return dated.find(({ size }) => size > covering && size <= within);
}

/** A proof against a signed checkpoint, for whoever holds the log's public key. */
export interface LogProof {
  readonly schema: 'touchmark/log-proof@1';
  readonly checkpoint: string;
  readonly proven: readonly ProvenEntry[];
  /** With an older checkpoint, the proof that the newer one extends it (RFC 6962, section 2.1.2). */
  readonly extends?: { readonly older: string; readonly proof: readonly string[] };
}

/**
 * Proves that the newest signed checkpoint of a project's log covers an entry, and on demand that it
 * extends a checkpoint published before.
 *
 * @param options.sequence of the entry, counted from 0
 * @param options.against a file with the older checkpoint
 * @throws TouchmarkError USAGE when the checkpoint does not reach so far; LOG_INVALID when the log is
 *   not what its checkpoint says
 */
export async function proveLog(
  options: ProjectOptions & { readonly sequence: number; readonly against?: string },
): Promise<LogProof> {
  const { note, publicKey, directory } = await openNewest(options);
  const { size, root } = openLogCheckpoint(note, publicKey);
  const { sequence } = options;
  if (!Number.isInteger(sequence) || sequence < 0 || sequence >= size) {
    throw new TouchmarkError('USAGE', `The newest signed checkpoint has no entry ${sequence}.`, {
      hint: `It covers the entries 0 to ${size - 1}.`,
    });
  }
  const entries = (await readChain(directory)).entries.slice(0, size);
  const { root: found, proven } = proveEntries(entries, [sequence]);
  if (found !== root) throw forked(directory, 'its newest signed checkpoint');
  const proof: LogProof = { schema: 'touchmark/log-proof@1', checkpoint: note, proven };
  if (options.against === undefined) return proof;
  const older = await readPublished(options.against);
  const facts = openLogCheckpoint(older, publicKey);
  if (!extendsCheckpoint(entries, facts)) throw forked(directory, options.against);
  return { ...proof, extends: { older, proof: proveExtension(entries, facts.size) } };
}

/** Decides whether any checkpoint of a log is signed, as far as they can be read. */
export async function hasSignedCheckpoint(directory: string): Promise<boolean> {
  try {
    return (await newestSignedCheckpoint(directory)) !== undefined;
  } catch (cause) {
    if (TouchmarkError.isInstance(cause) && cause.code === 'LOG_INVALID') return false;
    throw cause;
  }
}

/**
 * Returns why a log does not extend a checkpoint published before, or undefined when it does.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when the file holds no checkpoint that the key signed
 */
export async function breakSince(
  directory: string,
  against: string,
  publicKey: KeyObject,
): Promise<string | undefined> {
  const older = openLogCheckpoint(await readPublished(against), publicKey);
  const { identifier, entries } = await readChain(directory);
  if (older.identifier !== identifier) return `${against} is a checkpoint of another log.`;
  return extendsCheckpoint(entries, older) ? undefined : forked(directory, against).message;
}

async function readPublished(path: string): Promise<string> {
  const text = await readTextIfPresent(path);
  if (text !== undefined) return text;
  throw new TouchmarkError('USAGE', `There is no file ${path}.`, {
    hint: 'Give a file with what touchmark log checkpoint printed before.',
  });
}

async function openNewest(options: ProjectOptions) {
  const project = await openProject(options);
  const { directory } = project.config.log;
  const signingKey = (await openProjectRing(project)).signingKey();
  const publicKey = publicKeyOf(signingKey);
  await signWhatIsOpen(directory, signingKey);
  const newest = await newestSignedCheckpoint(directory);
  if (newest !== undefined) return { note: newest.note, publicKey, directory };
  throw new TouchmarkError('USAGE', `The log ${directory} has no signed checkpoint yet.`, {
    hint: 'The gateway signs one every log.checkpointEvery entries, when it stops, and when it starts on a log that has entries. One with a bundle does not: stop it, and ask again where the ring is.',
  });
}

/** A gateway with a bundle cannot sign; while it runs it has the log, and the last signed one stands. */
async function signWhatIsOpen(directory: string, signingKey: KeyObject): Promise<void> {
  if (!(await pathExists(directory))) return;
  try {
    const log = await openServingLog(directory, { signingKey });
    await log.close();
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause) || cause.code !== 'STORE_LOCKED') throw cause;
  }
}

function extendsCheckpoint(entries: readonly ChainEntry[], { size, root }: LogFacts): boolean {
  const first = entries.slice(0, size);
  return size <= entries.length && merkleRoot(first.map(leafOf)).toString('hex') === root;
}

function forked(directory: string, checkpoint: string): TouchmarkError {
  return new TouchmarkError(
    'LOG_INVALID',
    `The log ${directory} is not the one that ${checkpoint} was signed for: entries were changed or are missing.`,
    { hint: 'Restore the log from a copy; whoever holds the checkpoint sees the difference.' },
  );
}
