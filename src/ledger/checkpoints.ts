import { createHash, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { lengthPrefixed } from '../keys/encoding.ts';
import { leafHash, MerkleAccumulator } from '../keys/merkle.ts';
import type { ChainHead } from './chain.ts';
import {
  type LogFacts,
  openLogCheckpoint,
  readUnverifiedCheckpoint,
  signLogCheckpoint,
} from './checkpoint-note.ts';
import { readIfPresent, splitLines } from './files.ts';
import type { Layout, LogHeader } from './layout.ts';
import { type ChainSegment, logInvalid } from './segments.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const signedSchema = z.strictObject({ note: z.string() });
const unsignedSchema = z.strictObject({
  size: z.number().int().positive(),
  root: hash,
  head: hash,
  at: z.iso.datetime(),
  hash,
});

/** What the log publishes from time to time: a Merkle root over the hashes of its first entries. */
export interface Checkpoint extends LogFacts {
  /** The signed note that says all of this; without it the checkpoint is not signed. */
  readonly note?: string;
}

/**
 * Returns the checkpoints of a log, and how many bytes of an unfinished line follow them.
 *
 * @param publicKey whose signatures to check; without it they are not
 * @throws TouchmarkError LOG_INVALID naming the first line that is no checkpoint of this log, or whose
 *   signature is not that of the key
 */
export async function readCheckpoints(
  layout: Layout,
  header: LogHeader,
  publicKey?: KeyObject,
): Promise<{ readonly checkpoints: readonly Checkpoint[]; readonly rest: number }> {
  const { lines, rest } = splitLines((await readIfPresent(layout.checkpoints)) ?? Buffer.alloc(0));
  const checkpoints = lines.map((line, index) => {
    const checkpoint = readUnsigned(line) ?? readSigned(line, header, publicKey);
    if (typeof checkpoint !== 'string') return checkpoint;
    throw logInvalid(layout.checkpoints, index + 1, checkpoint);
  });
  return { checkpoints, rest };
}

function readUnsigned(line: string): Checkpoint | undefined {
  const checkpoint = unsignedSchema.safeParse(parseJson(line)).data;
  return checkpoint && unsignedLine(checkpoint) === line ? checkpoint : undefined;
}

/** Returns the reason when the line is no signed checkpoint of this log. */
function readSigned(line: string, header: LogHeader, publicKey?: KeyObject): Checkpoint | string {
  const { note } = signedSchema.safeParse(parseJson(line)).data ?? {};
  if (note === undefined || signedLine(note) !== line) return 'is not a checkpoint';
  try {
    const { identifier, ...facts } =
      publicKey === undefined ? readUnverifiedCheckpoint(note) : openLogCheckpoint(note, publicKey);
    if (identifier !== header.identifier) return 'is a checkpoint of another log';
    return { ...facts, note };
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause)) throw cause;
    return 'is not a checkpoint that the key signed';
  }
}

/** Folds a chain into its Merkle tree and compares it with the checkpoints on the way. */
export class CheckpointedTree {
  readonly #path: string;
  readonly #checkpoints: readonly Checkpoint[];
  readonly #tree = new MerkleAccumulator();
  #checked = 0;

  constructor(layout: Layout, checkpoints: readonly Checkpoint[]) {
    this.#path = layout.checkpoints;
    this.#checkpoints = checkpoints;
  }

  /** Adds the entries of one segment. @throws TouchmarkError LOG_INVALID naming a false checkpoint */
  add(entries: ChainSegment['entries']): void {
    for (const entry of entries) {
      this.#tree.append(leafHash(Buffer.from(entry.hash, 'hex')));
      for (;;) {
        const checkpoint = this.#checkpoints[this.#checked];
        if (checkpoint?.size !== this.#tree.size) break;
        this.#checked += 1;
        if (checkpoint.head !== entry.hash || checkpoint.root !== this.root()) {
          throw logInvalid(this.#path, this.#checked, 'does not have the root of the chain');
        }
      }
    }
  }

  /** Checkpoints found right that are signed notes. */
  get signed(): number {
    return this.#checkpoints.slice(0, this.#checked).filter(({ note }) => note !== undefined)
      .length;
  }

  /** Checks that no checkpoint is left. @throws TouchmarkError LOG_INVALID naming the first left */
  finish(): void {
    const checkpoint = this.#checkpoints[this.#checked];
    if (checkpoint === undefined) return;
    const { size } = this.#tree;
    const reason = `is of ${checkpoint.size} entries, but the chain has ${size}`;
    throw logInvalid(this.#path, this.#checked + 1, reason);
  }

  root(): string {
    return this.#tree.root().toString('hex');
  }

  get checked(): number {
    return this.#checked;
  }

  /** Returns the line of a new checkpoint over all entries so far, signed when there is a signer. */
  checkpointLine(head: ChainHead, at: Date, signer: CheckpointSigner | undefined): string {
    const facts = { size: head.size, root: this.root(), head: head.hash, at: at.toISOString() };
    const line =
      signer === undefined
        ? unsignedLine(facts)
        : signedLine(signLogCheckpoint(signer.identifier, facts, signer.key));
    return `${line}\n`;
  }
}

/** Which log a checkpoint is of, and the Ed25519 private key that signs it. */
export interface CheckpointSigner {
  readonly identifier: string;
  readonly key: KeyObject;
}

function signedLine(note: string): string {
  return JSON.stringify({ note });
}

/** The one spelling of a checkpoint: its facts in fixed order, and the hash of their spelling. */
function unsignedLine({ size, root, head, at }: LogFacts): string {
  const facts = { size, root, head, at };
  const message = lengthPrefixed('touchmark/v1/checkpoint', JSON.stringify(facts));
  return JSON.stringify({ ...facts, hash: createHash('sha256').update(message).digest('hex') });
}
