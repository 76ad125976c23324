import { setTimeout } from 'node:timers/promises';
import type { Probe, Task } from '../contracts.ts';
import { type SeededRandom, seededRandom } from '../stats/sampling.ts';

/**
 * Ordinary questions among the probes, and order and pace that say nothing: within each block that
 * is put in line, everything is asked in random order.
 */
export interface Disguise<T extends Task = 'classify'> {
  /** Of the order and the pauses; a suspect must not know it. */
  readonly seed: string;
  /** Questions asked beside the tests' own and folded by nobody, spread evenly over the blocks. */
  readonly cover: readonly Probe<T>[];
  /** Mean of the exponential pause before each request; 0 asks at full speed. */
  readonly pauseMilliseconds: number;
}

/** Mixes cover into the blocks of an audit, and shuffles them. */
export class DisguisedBlocks<T extends Task> {
  readonly #disguise: Disguise<T>;
  readonly #random: SeededRandom;
  /** Cover questions for each probe of a test. */
  readonly #rate: number;
  #probes = 0;
  #covered = 0;

  constructor(disguise: Disguise<T>, expected: number) {
    const { cover, seed } = disguise;
    this.#disguise = disguise;
    this.#random = seededRandom(`${seed}/disguise`);
    this.#rate = cover.length / Math.max(1, expected - cover.length);
  }

  block(probes: readonly Probe<T>[]): readonly Probe<T>[] {
    this.#probes += probes.length;
    const { cover } = this.#disguise;
    const until = Math.min(cover.length, Math.ceil(this.#probes * this.#rate));
    const added = cover.slice(this.#covered, until);
    this.#covered = Math.max(this.#covered, until);
    return this.#random.shuffle([...probes, ...added]);
  }

  async pause(signal: AbortSignal): Promise<void> {
    const { pauseMilliseconds } = this.#disguise;
    if (pauseMilliseconds === 0) return;
    const wait = -pauseMilliseconds * Math.log(1 - this.#random.uniform());
    await setTimeout(wait, undefined, { signal }).catch(() => undefined);
  }
}
