import { describe, expect, it } from 'vitest';
import {
  CoinTree,
  coinLeafOf,
  coinLeaves,
  RevealedCoins,
  verifyCoinOpening,
} from '../../src/keys/coin-tree.ts';
import vectors from '../vectors/keys.json' with { type: 'json' };

const key = Buffer.from(vectors.root, 'hex');
const tree = new CoinTree(key);
const digests = vectors.coins.bits.map(({ digest }) => Buffer.from(digest, 'hex'));

describe('a tree of coins', () => {
  it('has the root and the coins of an independent implementation', () => {
    expect(tree.root().toString('hex')).toBe(vectors.coins.root);
    expect(digests.map((digest) => tree.bit(digest))).toEqual(
      vectors.coins.bits.map(({ bit }) => bit),
    );
  });

  it('reveals single leaves that prove themselves, and no other coin', () => {
    const leaves = [...new Set(digests.slice(0, 8).map(coinLeafOf))];
    const openings = leaves.map((leaf) => tree.opening(leaf));
    expect(openings.every((opening) => verifyCoinOpening(tree.root(), opening))).toBe(true);
    const revealed = new RevealedCoins(openings);
    for (const digest of digests.slice(0, 8)) expect(revealed.bit(digest)).toBe(tree.bit(digest));
    const hidden = digests.find((digest) => !leaves.includes(coinLeafOf(digest)))!;
    expect(() => revealed.bit(hidden)).toThrow(/not revealed/);
  });

  it('refuses an opening that was changed anywhere', () => {
    const opening = tree.opening(coinLeaves - 1);
    const seed = Buffer.from(opening.seed);
    seed[31]! ^= 1;
    const proof = opening.proof.map((hash) => Buffer.from(hash));
    proof[13]![0]! ^= 128;
    for (const changed of [
      { ...opening, seed },
      { ...opening, proof },
      { ...opening, leaf: 0 },
      { ...opening, proof: opening.proof.slice(1) },
      { ...opening, proof: [...opening.proof, opening.proof[0]!] },
      { ...opening, seed: opening.seed.subarray(1) },
    ]) {
      expect(verifyCoinOpening(tree.root(), changed)).toBe(false);
    }
    expect(verifyCoinOpening(new CoinTree(Buffer.alloc(32)).root(), opening)).toBe(false);
  });

  it('reads the leaf from the first 14 bits', () => {
    expect(coinLeafOf(Buffer.from('ffff', 'hex'))).toBe(coinLeaves - 1);
    expect(coinLeafOf(Buffer.from('0003', 'hex'))).toBe(0);
    expect(coinLeafOf(Buffer.from('0004', 'hex'))).toBe(1);
  });
});
