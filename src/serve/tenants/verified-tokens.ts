/** Longest time for which a token is not checked again, so that a withdrawn key ends soon. */
const longestMilliseconds = 300_000;

interface Verified {
  readonly tenant: string;
  readonly from: number;
  readonly until: number;
}

/** Tokens that were verified, by their SHA-256, so that the next request with one costs a look-up. */
export class VerifiedTokens {
  readonly #tokens = new Map<string, Verified>();
  readonly #most: number;

  /** @param most tokens that are remembered; beyond them the one found longest ago goes */
  constructor(most = 10_000) {
    this.#most = most;
  }

  get size(): number {
    return this.#tokens.size;
  }

  /**
   * Returns the tenant of a token that is remembered and still valid. A clock that was set back
   * makes no token last longer: what was verified later than now is forgotten.
   *
   * @param now milliseconds since 1970
   */
  find(digest: string, now: number): string | undefined {
    const found = this.#tokens.get(digest);
    if (found === undefined) return undefined;
    this.#tokens.delete(digest);
    if (now < found.from || now >= found.until) return undefined;
    this.#tokens.set(digest, found);
    return found.tenant;
  }

  /** Remembers a token until it expires, or for five minutes. */
  keep(digest: string, tenant: string, times: { now: number; expires: number }): void {
    const until = Math.min(times.expires, times.now + longestMilliseconds);
    this.#tokens.delete(digest);
    this.#tokens.set(digest, { tenant, from: times.now, until });
    const oldest = this.#tokens.keys().next().value;
    if (this.#tokens.size > this.#most && oldest !== undefined) this.#tokens.delete(oldest);
  }
}
