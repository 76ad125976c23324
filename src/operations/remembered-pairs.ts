/** Pairs that are remembered over all texts: some 128 MB for each set of them. */
export const mostRememberedPairs = 2 ** 22;
/** Share of the limit below which counting again is not worth it. */
const leastRoom = 1 / 64;

/**
 * Keeps the memory of a test over many texts bounded: once it remembers `limit` distinct pairs, later
 * texts are left out. Which ones depends on the texts alone, never on a key, so that what was scored
 * is as valid as before.
 */
export class RememberedPairs {
  readonly #limit: number;
  readonly #remembered: () => number;
  /** Tokens that surely fit. */
  #room: number;
  #full = false;
  #leftOut = 0;

  /** @param remembered the distinct pairs that the test remembers now */
  constructor(limit: number, remembered: () => number) {
    this.#limit = limit;
    this.#remembered = remembered;
    this.#room = limit;
  }

  /** Decides whether a text of so many tokens is to be folded; the last one may go over the limit. */
  admits(tokens: number): boolean {
    if (this.#room <= 0 && !this.#full) {
      this.#room = this.#limit - this.#remembered();
      this.#full = this.#room < this.#limit * leastRoom;
    }
    if (this.#full) this.#leftOut += tokens;
    else this.#room -= tokens;
    return !this.#full;
  }

  /** Tokens of texts that were left out. */
  get leftOut(): number {
    return this.#leftOut;
  }
}
