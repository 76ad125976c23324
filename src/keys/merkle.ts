import { createHash } from 'node:crypto';

/** A Merkle hash: 32 bytes. Shapes and algorithms follow RFC 6962, section 2.1. */
export type MerkleHash = Uint8Array;

/** Returns the hash of one leaf: SHA-256(0x00 || data) (RFC 6962, section 2.1). */
export function leafHash(data: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(0)).update(data).digest();
}

/** Returns the root over leaf hashes; the root of no leaves is SHA-256 of the empty string. */
export function merkleRoot(leaves: readonly MerkleHash[]): Buffer {
  const accumulator = new MerkleAccumulator();
  for (const leaf of leaves) accumulator.append(leaf);
  return accumulator.root();
}

/** Folds leaves into a root one at a time, keeping one hash per bit of the number of leaves. */
export class MerkleAccumulator {
  readonly #peaks: MerkleHash[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds one leaf hash at the right end. */
  append(leaf: MerkleHash): void {
    let merged = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      merged = nodeHash(this.#peaks.pop()!, merged);
    }
    this.#peaks.push(merged);
    this.#size += 1;
  }

  /** Returns the root over the leaves so far, in time logarithmic in their number. */
  root(): Buffer {
    if (this.#size === 0) return createHash('sha256').digest();
    return Buffer.from(this.#peaks.reduceRight((right, left) => nodeHash(left, right)));
  }
}

/** A finished tree that keeps its inner nodes, for many proofs over the same leaves. */
export class MerkleTree {
  /** Nodes by level, leaves first; an odd last node moves up unchanged. */
  readonly #levels: readonly (readonly MerkleHash[])[];

  constructor(leaves: readonly MerkleHash[]) {
    const levels: (readonly MerkleHash[])[] = [leaves];
    for (let level = leaves; level.length > 1; ) {
      const above: MerkleHash[] = [];
      for (let index = 0; index < level.length; index += 2) {
        const [left, right] = [level[index]!, level[index + 1]];
        above.push(right === undefined ? left : nodeHash(left, right));
      }
      levels.push(above);
      level = above;
    }
    this.#levels = levels;
  }

  root(): Buffer {
    const [top] = this.#levels.at(-1)!;
    return top === undefined ? createHash('sha256').digest() : Buffer.from(top);
  }

  /** As `inclusionProof`, in time logarithmic in the number of leaves. */
  inclusionProof(index: number): MerkleHash[] {
    requireLeaf(index, this.#levels[0]!.length);
    return this.#levels.slice(0, -1).flatMap((level, height) => {
      const sibling = level[Math.floor(index / 2 ** height) ^ 1];
      return sibling === undefined ? [] : [sibling];
    });
  }
}

/**
 * Returns the audit path of leaf `index` (RFC 6962, section 2.1.1), from the leaf's sibling upward.
 *
 * @throws RangeError when there is no such leaf
 */
export function inclusionProof(index: number, leaves: readonly MerkleHash[]): MerkleHash[] {
  requireLeaf(index, leaves.length);
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusionProof(index, left), merkleRoot(right)]
    : [...inclusionProof(index - split, right), merkleRoot(left)];
}

/** Decides whether `proof` shows that leaf `index` of a tree of `size` leaves has hash `leaf`. */
export function verifyInclusion(claim: {
  readonly index: number;
  readonly size: number;
  readonly leaf: MerkleHash;
  readonly proof: readonly MerkleHash[];
  readonly root: MerkleHash;
}): boolean {
  const { index, size, leaf, proof, root } = claim;
  if (!Number.isInteger(index) || index < 0 || index >= size) return false;
  let [position, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      while (position % 2 === 0 && position > 0) [position, last] = [half(position), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && sameHash(hash, root);
}

/**
 * Returns the proof that the first `first` leaves are a prefix of the tree (RFC 6962, section 2.1.2).
 *
 * @throws RangeError unless 0 < first <= leaves.length
 */
export function consistencyProof(first: number, leaves: readonly MerkleHash[]): MerkleHash[] {
  if (!Number.isInteger(first) || first <= 0 || first > leaves.length) {
    throw new RangeError(`There is no tree of ${first} leaves within ${leaves.length}.`);
  }
  return subproof(first, leaves, true);
}

/** Decides whether the tree of `second` leaves extends the tree of `first` leaves. */
export function verifyConsistency(claim: {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: MerkleHash;
  readonly secondRoot: MerkleHash;
  readonly proof: readonly MerkleHash[];
}): boolean {
  const { first, second, firstRoot, secondRoot, proof } = claim;
  if (!Number.isInteger(first) || first <= 0 || first > second) return false;
  if (first === second) return proof.length === 0 && sameHash(firstRoot, secondRoot);
  let [position, last] = [first - 1, second - 1];
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  const [seed, ...path] = position === 0 ? [firstRoot, ...proof] : proof;
  if (seed === undefined) return false;
  let [older, newer] = [seed, seed];
  for (const sibling of path) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      [older, newer] = [nodeHash(sibling, older), nodeHash(sibling, newer)];
      while (position % 2 === 0 && position > 0) [position, last] = [half(position), half(last)];
    } else {
      newer = nodeHash(newer, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && sameHash(older, firstRoot) && sameHash(newer, secondRoot);
}

function subproof(first: number, leaves: readonly MerkleHash[], whole: boolean): MerkleHash[] {
  if (first === leaves.length) return whole ? [] : [merkleRoot(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return first <= split
    ? [...subproof(first, left, whole), merkleRoot(right)]
    : [...subproof(first - split, right, false), merkleRoot(left)];
}

function requireLeaf(index: number, leaves: number): void {
  if (Number.isInteger(index) && index >= 0 && index < leaves) return;
  throw new RangeError(`There is no leaf ${index} among ${leaves}.`);
}

function nodeHash(left: MerkleHash, right: MerkleHash): Buffer {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function sameHash(a: MerkleHash, b: MerkleHash): boolean {
  return Buffer.from(a).equals(b);
}
