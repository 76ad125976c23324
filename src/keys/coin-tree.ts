import { createCipheriv } from 'node:crypto';
import { keyBytes, requireKey } from './encoding.ts';
import { keyedBit } from './keyed-stream.ts';
import { leafHash, type MerkleHash, MerkleTree, verifyInclusion } from './merkle.ts';

/** Children of every node; two levels of them make the leaves. */
const fanOut = 128;

/** Leaves of a coin tree. */
export const coinLeaves = fanOut ** 2;

/** A source of one keyed fair bit per message. */
export interface KeyedBits {
  /** @param digest 32 bytes that stand for the message */
  bit(digest: Uint8Array): 0 | 1;
}

/** One leaf in clear, and its way to the root that was committed to. */
export interface CoinOpening {
  readonly leaf: number;
  readonly seed: Uint8Array;
  readonly proof: readonly MerkleHash[];
}

/**
 * Keyed coins of which single ones can be revealed and proven: a tree of pseudorandom seeds in which
 * each node's key stream is its children (Goldreich, Goldwasser and Micali 1986, with AES-256-CTR as
 * the generator), and a Merkle root over the leaves as the commitment.
 *
 * The first 14 bits of a message's digest choose the leaf, and its coin is `keyedBit` of the leaf's
 * seed. A revealed leaf shows the coins of the 16,384th part of all messages, and nothing of others.
 */
export class CoinTree implements KeyedBits {
  readonly #nodes: Buffer;
  #tree: MerkleTree | undefined;

  /** @throws TouchmarkError INPUT_INVALID when the key does not have 32 bytes */
  constructor(key: Uint8Array) {
    requireKey(key, 'key of a coin tree');
    this.#nodes = children(key, 0, fanOut);
  }

  bit(digest: Uint8Array): 0 | 1 {
    return keyedBit(this.#seed(coinLeafOf(digest)), digest);
  }

  /** The Merkle root over all leaves, 32 bytes; takes some 30 ms the first time. */
  root(): Buffer {
    return this.#merkle().root();
  }

  /** @param leaf a whole number in [0, `coinLeaves`) */
  opening(leaf: number): CoinOpening {
    return { leaf, seed: this.#seed(leaf), proof: this.#merkle().inclusionProof(leaf) };
  }

  #seed(leaf: number): Buffer {
    return children(this.#node(Math.floor(leaf / fanOut)), leaf % fanOut, 1);
  }

  #node(index: number): Buffer {
    return this.#nodes.subarray(index * keyBytes, (index + 1) * keyBytes);
  }

  #merkle(): MerkleTree {
    if (this.#tree === undefined) {
      const leaves: Buffer[] = [];
      for (let index = 0; index < fanOut; index += 1) {
        const seeds = children(this.#node(index), 0, fanOut);
        for (let child = 0; child < fanOut; child += 1) {
          leaves.push(leafHash(seeds.subarray(child * keyBytes, (child + 1) * keyBytes)));
        }
      }
      this.#tree = new MerkleTree(leaves);
    }
    return this.#tree;
  }
}

/** Coins of revealed leaves only. */
export class RevealedCoins implements KeyedBits {
  readonly #seeds: ReadonlyMap<number, Uint8Array>;

  /** @param openings checked with `verifyCoinOpening` before */
  constructor(openings: readonly CoinOpening[]) {
    this.#seeds = new Map(openings.map(({ leaf, seed }) => [leaf, seed]));
  }

  /** @throws RangeError for a message whose leaf was not revealed */
  bit(digest: Uint8Array): 0 | 1 {
    const leaf = coinLeafOf(digest);
    const seed = this.#seeds.get(leaf);
    if (seed === undefined) throw new RangeError(`The leaf ${leaf} of the coins is not revealed.`);
    return keyedBit(seed, digest);
  }
}

/** Returns the leaf that a message's coin comes from: the first 14 bits of its digest. */
export function coinLeafOf(digest: Uint8Array): number {
  return ((digest[0]! << 8) | digest[1]!) >>> 2;
}

/** Decides whether an opening belongs to the committed root. */
export function verifyCoinOpening(root: Uint8Array, { leaf, seed, proof }: CoinOpening): boolean {
  return (
    seed.length === keyBytes &&
    verifyInclusion({ index: leaf, size: coinLeaves, leaf: leafHash(seed), proof, root })
  );
}

const blockBytes = 16;

/** The counter blocks of the key stream of a node, for all of its children. */
const counters = Buffer.alloc(fanOut * keyBytes);
for (let block = 0; block < counters.length / blockBytes; block += 1) {
  counters.writeUInt32BE(block, block * blockBytes + 12);
}

/**
 * Returns `count` children of a node from the child `first` on: 32 bytes of its AES-256-CTR key
 * stream each, which are its counter blocks enciphered.
 */
function children(node: Uint8Array, first: number, count: number): Buffer {
  const blocks = counters.subarray(first * keyBytes, (first + count) * keyBytes);
  return createCipheriv('aes-256-ecb', node, null).update(blocks);
}
