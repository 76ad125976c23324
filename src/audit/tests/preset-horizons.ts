import { log10BinomialUpperTail } from '../../stats/tails/binomial.ts';

const firstHorizon = 16;

/**
 * The p-value of a growing number of fair coins, read at 16, 32, 64, ... coins only.
 *
 * The k-th horizon has the weight 1 / (k (k + 1)), and the p-value is the least binomial tail over
 * its weight (Bonferroni over weights that sum to one).
 *
 * Null: each coin is fair given the past. A horizon that is never reached counts as a p of 1, so
 * the value is valid whoever decides, and from whatever answers, how many coins there are; a
 * binomial tail at the last coin is not, since a tenant may stop when it leads.
 */
export class PresetHorizons {
  #reached = 0;
  #log10P: number | undefined;

  /** Looks at the coins after each one; `trials` grows by one from call to call. */
  look(hits: number, trials: number): void {
    if (trials !== firstHorizon * 2 ** this.#reached) return;
    this.#reached += 1;
    const charge = Math.log10(this.#reached * (this.#reached + 1));
    const log10P = charge + log10BinomialUpperTail(hits, trials, 0.5);
    this.#log10P = Math.min(0, log10P, this.#log10P ?? 0);
  }

  /** log10 of the p-value; undefined before the first horizon. */
  get log10P(): number | undefined {
    return this.#log10P;
  }
}
