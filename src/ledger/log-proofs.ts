import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import {
  consistencyProof,
  leafHash,
  MerkleTree,
  verifyConsistency,
  verifyInclusion,
} from '../keys/merkle.ts';
import { type ChainEntry, readEntry } from './chain.ts';
import { type LogFacts, openLogCheckpoint } from './checkpoint-note.ts';

/** An entry, and its audit path in the tree of a checkpoint; its index there is its sequence. */
export interface ProvenEntry {
  readonly entry: ChainEntry;
  /** From the leaf's sibling upward (RFC 6962, section 2.1.1), each 64 hexadecimal digits. */
  readonly proof: readonly string[];
}

const proofSchema = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(128);
const provenSchema = z.array(z.strictObject({ entry: z.unknown(), proof: proofSchema }));

/**
 * Builds the tree over a chain once, and returns its root and the proofs of some entries.
 *
 * @param entries all of them up to the size of the checkpoint that the proofs are for
 * @param sequences ascending
 * @throws RangeError for a sequence that the chain does not have
 */
export function proveEntries(
  entries: readonly ChainEntry[],
  sequences: readonly number[],
): { readonly root: string; readonly proven: readonly ProvenEntry[] } {
  const tree = new MerkleTree(entries.map(leafOf));
  const proven = sequences.map((sequence) => {
    return { entry: entries[sequence]!, proof: tree.inclusionProof(sequence).map(toHex) };
  });
  return { root: tree.root().toString('hex'), proven };
}

/** Some entries of a log, of which a signed checkpoint says that the log has them. */
export interface VerifiedExtract {
  readonly checkpoint: LogFacts & { readonly identifier: string };
  /** In the order of the chain, no sequence twice. */
  readonly entries: readonly ChainEntry[];
}

/**
 * Decides whether entries stand in the log that a signed checkpoint speaks for: every entry has the
 * hash of its content, its proof leads to the checkpoint's root, sequences ascend, and neighbours
 * link to each other. It shows what the log's owner signed, not that it is true or was signed then.
 *
 * @param extract.checkpoint a signed note
 * @param extract.proven what `proveEntries` returned, as it was received
 * @throws TouchmarkError EVIDENCE_INVALID naming the first entry that is wrong
 */
export function verifyLogExtract(
  extract: { readonly checkpoint: string; readonly proven: unknown },
  publicKey: KeyObject,
): VerifiedExtract {
  const checkpoint = openLogCheckpoint(extract.checkpoint, publicKey);
  const proven = provenSchema.safeParse(extract.proven).data;
  if (proven === undefined) throw extractInvalid('is malformed');
  const root = fromHex(checkpoint.root);
  const entries: ChainEntry[] = [];
  for (const [index, { entry: value, proof }] of proven.entries()) {
    const where = `has at place ${index}`;
    const entry = readEntry(value);
    if (entry === undefined) throw extractInvalid(`${where} what is no entry with its own hash`);
    const before = entries.at(-1);
    const reason = disorder(before, entry) ?? disorderAtHead(entry, checkpoint);
    if (reason !== undefined) throw extractInvalid(`${where} an entry that ${reason}`);
    const included = verifyInclusion({
      index: entry.sequence,
      size: checkpoint.size,
      leaf: leafOf(entry),
      proof: proof.map(fromHex),
      root,
    });
    if (!included)
      throw extractInvalid(`${where} an entry that is not in the tree of the checkpoint`);
    entries.push(entry);
  }
  return { checkpoint, entries };
}

/**
 * Returns the proof that a chain's first `size` entries are those of an older checkpoint (RFC 6962,
 * section 2.1.2), in hexadecimal.
 *
 * @throws RangeError unless 0 < size <= entries.length
 */
export function proveExtension(entries: readonly ChainEntry[], size: number): readonly string[] {
  return consistencyProof(size, entries.map(leafOf)).map(toHex);
}

/**
 * Decides whether one signed checkpoint extends another of the same log: nothing that stood in the
 * older was changed or left out since.
 *
 * @param proof what `proveExtension` returned, as it was received
 * @throws TouchmarkError EVIDENCE_INVALID when it does not
 */
export function verifyLogExtension(
  checkpoints: { readonly older: string; readonly newer: string },
  proof: unknown,
  publicKey: KeyObject,
): void {
  const older = openLogCheckpoint(checkpoints.older, publicKey);
  const newer = openLogCheckpoint(checkpoints.newer, publicKey);
  const hashes = proofSchema.safeParse(proof).data;
  const extended =
    hashes !== undefined &&
    older.identifier === newer.identifier &&
    verifyConsistency({
      first: older.size,
      second: newer.size,
      firstRoot: fromHex(older.root),
      secondRoot: fromHex(newer.root),
      proof: hashes.map(fromHex),
    });
  if (!extended) throw extractInvalid('is no proof that the newer checkpoint extends the older');
}

/** Returns the leaf hash that an entry has in the log's tree. */
export function leafOf(entry: ChainEntry): Buffer {
  return leafHash(Buffer.from(entry.hash, 'hex'));
}

function disorder(before: ChainEntry | undefined, entry: ChainEntry): string | undefined {
  if (before === undefined) return undefined;
  if (entry.sequence <= before.sequence) return 'does not stand behind the one before it';
  const neighbours = entry.sequence === before.sequence + 1;
  return neighbours && entry.previous !== before.hash
    ? 'does not link to the one before it'
    : undefined;
}

function disorderAtHead(entry: ChainEntry, { size, head }: LogFacts): string | undefined {
  return entry.sequence === size - 1 && entry.hash !== head
    ? 'is last and has not the hash that the checkpoint names'
    : undefined;
}

function toHex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}

function fromHex(hash: string): Buffer {
  return Buffer.from(hash, 'hex');
}

function extractInvalid(reason: string): TouchmarkError {
  return new TouchmarkError('EVIDENCE_INVALID', `The extract of the log ${reason}.`, {
    hint: 'The extract was changed after it was made, or belongs to another log or key.',
  });
}
