/**
 * Sums signs over the pairs that share one draw of the tenant code: those of one context and block
 * of token ids. Memory grows with the distinct clusters.
 */
export class ClusterSums {
  readonly #width: number;
  /** Numbers of clusters from 1 on, 0 for a free slot. */
  #slots = new Int32Array(1024);
  /** The context and the block of each cluster. */
  #keys: Int32Array;
  #draws = new Int32Array(256);
  #sums = new Int32Array(256);
  #count = 0;

  constructor(contextWidth: number) {
    this.#width = contextWidth;
    this.#keys = new Int32Array(256 * (contextWidth + 1));
  }

  get count(): number {
    return this.#count;
  }

  /** The draw of each cluster. */
  get draws(): Int32Array {
    return this.#draws.subarray(0, this.#count);
  }

  /** The sum of each cluster's signs. */
  get sums(): Int32Array {
    return this.#sums.subarray(0, this.#count);
  }

  /**
   * Adds +1 or -1 to the cluster of the context that begins at `from` and a block.
   *
   * @param draw the cluster's draw, the same on every call
   */
  add(contexts: Int32Array, from: number, block: number, draw: number, sign: number): void {
    let slot = this.#find(contexts, from, block);
    if (this.#slots[slot] === 0) {
      if (4 * (this.#count + 1) > this.#slots.length) {
        this.#grow();
        slot = this.#find(contexts, from, block);
      }
      this.#insert(slot, contexts, from, block, draw);
    }
    this.#sums[this.#slots[slot]! - 1]! += sign;
  }

  #find(contexts: Int32Array, from: number, block: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(contexts, from, this.#width, block) & mask;
    while (this.#slots[slot] !== 0 && !this.#holds(this.#slots[slot]! - 1, contexts, from, block)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #holds(cluster: number, contexts: Int32Array, from: number, block: number): boolean {
    const at = cluster * (this.#width + 1);
    for (let index = 0; index < this.#width; index++) {
      if (this.#keys[at + index] !== contexts[from + index]) return false;
    }
    return this.#keys[at + this.#width] === block;
  }

  #insert(slot: number, contexts: Int32Array, from: number, block: number, draw: number): void {
    const cluster = this.#count++;
    const at = cluster * (this.#width + 1);
    this.#keys.set(contexts.subarray(from, from + this.#width), at);
    this.#keys[at + this.#width] = block;
    this.#draws[cluster] = draw;
    this.#sums[cluster] = 0;
    this.#slots[slot] = cluster + 1;
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    this.#keys = doubled(this.#keys);
    this.#draws = doubled(this.#draws);
    this.#sums = doubled(this.#sums);
    const stride = this.#width + 1;
    const mask = this.#slots.length - 1;
    for (let cluster = 0; cluster < this.#count; cluster++) {
      const at = cluster * stride;
      let slot = hashOf(this.#keys, at, this.#width, this.#keys[at + this.#width]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = cluster + 1;
    }
  }
}

function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const result = new Int32Array(2 * values.length);
  result.set(values);
  return result;
}

function hashOf(contexts: Int32Array, from: number, width: number, block: number): number {
  let hash = Math.imul(block ^ 0x9e3779b9, 0x2545f491);
  for (let at = from; at < from + width; at++) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ contexts[at]!, 0x2545f491);
  }
  return hash ^ (hash >>> 14);
}
