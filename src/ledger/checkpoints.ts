import { createHash } from 'node:crypto';
import { z } from 'zod';
import { lengthPrefixed } from '../keys/encoding.ts';
import { leafHash, MerkleAccumulator } from '../keys/merkle.ts';
import { type ChainHead, parseJson } from './chain.ts';
import { readIfPresent, splitLines } from './files.ts';
import type { Layout } from './layout.ts';
import { type ChainSegment, logInvalid } from './segments.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const checkpointSchema = z.strictObject({
  size: z.number().int().positive(),
  root: hash,
  head: hash,
  at: z.iso.datetime(),
  hash,
});

/** What the log publishes from time to time: a Merkle root over the hashes of its first entries. */
export type Checkpoint = Readonly<z.infer<typeof checkpointSchema>>;

/**
 * Returns the checkpoints of a log, and how many bytes of an unfinished line follow them.
 *
 * @throws TouchmarkError LOG_INVALID naming the first line that is no checkpoint
 */
export async function readCheckpoints(
  layout: Layout,
): Promise<{ readonly checkpoints: readonly Checkpoint[]; readonly rest: number }> {
  const { lines, rest } = splitLines((await readIfPresent(layout.checkpoints)) ?? Buffer.alloc(0));
  const checkpoints = lines.map((line, index) => {
    const checkpoint = checkpointSchema.safeParse(parseJson(line)).data;
    if (checkpoint && spelling(checkpoint) === line) return checkpoint;
    throw logInvalid(layout.checkpoints, index + 1, 'is not a checkpoint');
  });
  return { checkpoints, rest };
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
      const checkpoint = this.#checkpoints[this.#checked];
      if (checkpoint?.size !== this.#tree.size) continue;
      this.#checked += 1;
      if (checkpoint.head !== entry.hash || checkpoint.root !== this.root()) {
        throw logInvalid(this.#path, this.#checked, 'does not have the root of the chain');
      }
    }
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

  /** Returns the line of a new checkpoint over all entries so far. */
  checkpointLine(head: ChainHead, at: Date): string {
    const facts = { size: head.size, root: this.root(), head: head.hash, at: at.toISOString() };
    return `${spelling(facts)}\n`;
  }
}

/** The one spelling of a checkpoint: its facts in fixed order, and the hash of their spelling. */
function spelling({ size, root, head, at }: Omit<Checkpoint, 'hash'>): string {
  const facts = { size, root, head, at };
  const message = lengthPrefixed('touchmark/v1/checkpoint', JSON.stringify(facts));
  return JSON.stringify({ ...facts, hash: createHash('sha256').update(message).digest('hex') });
}
