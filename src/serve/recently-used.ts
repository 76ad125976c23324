/** Keeps what was made for the names used last, up to a number of them. */
export class RecentlyUsed<Made> {
  readonly #most: number;
  readonly #kept = new Map<string, Made>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Returns what is kept under the name, or makes it. */
  get(name: string, make: () => Made): Made {
    const made = this.#kept.get(name) ?? make();
    this.#kept.delete(name);
    this.#kept.set(name, made);
    if (this.#kept.size > this.#most) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return made;
  }
}
