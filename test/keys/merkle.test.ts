import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  MerkleAccumulator,
  MerkleTree,
  merkleRoot,
  verifyConsistency,
  verifyInclusion,
} from '../../src/keys/merkle.ts';
import vectors from '../vectors/merkle.json' with { type: 'json' };

const bytes = (text: string) => Buffer.from(text, 'hex');
const hexadecimal = (hashes: readonly Uint8Array[]) =>
  hashes.map((hash) => Buffer.from(hash).toString('hex'));
const leaves = vectors.leaves.map((leaf) => leafHash(bytes(leaf)));
const roots = vectors.roots.map(bytes);
const flip = (hash: Uint8Array) => Buffer.from(hash).fill((hash[5] ?? 0) ^ 4, 5, 6);

describe('Merkle tree', () => {
  it('has the roots of the Certificate Transparency tests', () => {
    for (const [size, root] of vectors.transparencyRoots.entries()) {
      expect(merkleRoot(leaves.slice(0, size)).toString('hex')).toBe(root);
    }
  });

  it('has the roots of the recursive definition, also one leaf at a time', () => {
    const accumulator = new MerkleAccumulator();
    for (const [size, root] of vectors.roots.entries()) {
      expect(accumulator.size).toBe(size);
      expect(accumulator.root().toString('hex')).toBe(root);
      const leaf = leaves[size];
      if (leaf) accumulator.append(leaf);
    }
  });

  it('has the same roots and proofs when it keeps its nodes', () => {
    for (let size = 0; size <= leaves.length; size += 1) {
      const tree = new MerkleTree(leaves.slice(0, size));
      expect(tree.root()).toEqual(merkleRoot(leaves.slice(0, size)));
      for (let index = 0; index < size; index += 1) {
        expect(tree.inclusionProof(index)).toEqual(inclusionProof(index, leaves.slice(0, size)));
      }
      expect(() => tree.inclusionProof(size)).toThrow(RangeError);
    }
  });

  it('gives and accepts the inclusion proofs of the recursive definition', () => {
    for (const { index, size, proof } of vectors.inclusion) {
      expect(hexadecimal(inclusionProof(index, leaves.slice(0, size)))).toEqual(proof);
      const claim = { index, size, leaf: leaves[index]!, proof: proof.map(bytes) };
      expect(verifyInclusion({ ...claim, root: roots[size]! })).toBe(true);
    }
  });

  it('gives and accepts the consistency proofs of the recursive definition', () => {
    for (const { first, second, proof } of vectors.consistency) {
      expect(hexadecimal(consistencyProof(first, leaves.slice(0, second)))).toEqual(proof);
      const claim = { first, second, firstRoot: roots[first]!, secondRoot: roots[second]! };
      expect(verifyConsistency({ ...claim, proof: proof.map(bytes) })).toBe(true);
    }
  });

  it('refuses an inclusion proof with any part changed', () => {
    const trees = fc
      .integer({ min: 1, max: 70 })
      .chain((size) =>
        fc.record({ size: fc.constant(size), index: fc.nat({ max: size - 1 }), pick: fc.nat() }),
      );
    fc.assert(
      fc.property(trees, ({ size, index, pick }) => {
        const tree = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`${i}`)));
        const proof = inclusionProof(index, tree);
        const honest = { index, size, leaf: tree[index]!, proof, root: merkleRoot(tree) };
        expect(verifyInclusion(honest)).toBe(true);
        expect(verifyInclusion({ ...honest, root: flip(honest.root) })).toBe(false);
        expect(verifyInclusion({ ...honest, leaf: flip(honest.leaf) })).toBe(false);
        expect(verifyInclusion({ ...honest, proof: [...proof, honest.root] })).toBe(false);
        if (size > 1) {
          expect(verifyInclusion({ ...honest, index: (index + 1) % size })).toBe(false);
          expect(verifyInclusion({ ...honest, proof: proof.slice(1) })).toBe(false);
          const damaged = proof.map((hash, at) => (at === pick % proof.length ? flip(hash) : hash));
          expect(verifyInclusion({ ...honest, proof: damaged })).toBe(false);
        }
      }),
    );
  });

  it('refuses a consistency proof with any part changed', () => {
    const trees = fc.integer({ min: 2, max: 70 }).chain((second) =>
      fc.record({
        second: fc.constant(second),
        first: fc.integer({ min: 1, max: second - 1 }),
        pick: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(trees, ({ first, second, pick }) => {
        const tree = Array.from({ length: second }, (_, i) => leafHash(Buffer.from(`${i}`)));
        const proof = consistencyProof(first, tree);
        const firstRoot = merkleRoot(tree.slice(0, first));
        const honest = { first, second, firstRoot, secondRoot: merkleRoot(tree), proof };
        expect(verifyConsistency(honest)).toBe(true);
        expect(verifyConsistency({ ...honest, firstRoot: flip(firstRoot) })).toBe(false);
        expect(verifyConsistency({ ...honest, secondRoot: flip(honest.secondRoot) })).toBe(false);
        expect(verifyConsistency({ ...honest, proof: proof.slice(1) })).toBe(false);
        expect(verifyConsistency({ ...honest, proof: [...proof, firstRoot] })).toBe(false);
        const damaged = proof.map((hash, at) => (at === pick % proof.length ? flip(hash) : hash));
        expect(verifyConsistency({ ...honest, proof: damaged })).toBe(false);
      }),
    );
  });

  it('refuses claims outside the tree', () => {
    const [leaf, root] = [leaves[0]!, roots[1]!];
    expect(verifyInclusion({ index: 1, size: 1, leaf, proof: [], root })).toBe(false);
    expect(verifyInclusion({ index: -1, size: 1, leaf, proof: [], root })).toBe(false);
    const claim = { firstRoot: root, secondRoot: root, proof: [] };
    expect(verifyConsistency({ ...claim, first: 0, second: 1 })).toBe(false);
    expect(verifyConsistency({ ...claim, first: 2, second: 1 })).toBe(false);
    expect(() => inclusionProof(3, leaves.slice(0, 3))).toThrow(/no leaf 3 among 3/);
    expect(() => consistencyProof(0, leaves)).toThrow(/no tree of 0 leaves/);
  });
});
