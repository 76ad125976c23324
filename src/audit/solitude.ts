/** Lets some work go on together, and other work only while nothing else does. */
export class Solitude {
  readonly #together = new Set<Promise<unknown>>();
  #alone: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Runs work beside other such work, once none that is to be alone is left. */
  async together<Value>(work: () => Promise<Value>): Promise<Value> {
    await this.over();
    const running = work();
    this.#together.add(running);
    try {
      return await running;
    } finally {
      this.#together.delete(running);
    }
  }

  /** Runs work once all that is under way is done; later work waits for it. */
  async alone<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#waiting += 1;
    const turn = this.#alone.then(async () => {
      await Promise.allSettled(this.#together);
      return work();
    });
    this.#alone = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Whether anything is alone or waits to be. */
  get isSought(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves once nothing is alone or waits to be. */
  async over(): Promise<void> {
    while (this.isSought) await this.#alone;
  }
}
