import { candidatesOf } from '../../watermark/text/schemes/candidates.ts';
import type { NextTokens, SharedDistribution } from './next-token-model.ts';

export interface ChosenTokens {
  readonly tokens: Int32Array;
  readonly probabilities: Float64Array;
}

/** Finds the likeliest tokens without looking at those that cannot be among them. */
export class TokenChoice {
  readonly #shared: SharedDistribution;
  readonly #named: Uint8Array;

  constructor(shared: SharedDistribution) {
    this.#shared = shared;
    this.#named = new Uint8Array(shared.probabilities.length);
  }

  /** Returns the `most` likeliest tokens, in no order; all of them when there are fewer. */
  likeliest(next: NextTokens, most: number): ChosenTokens {
    const pool = this.#pool(next, most);
    if (most >= pool.tokens.length) return pool;
    const comparable = Float32Array.from(pool.probabilities);
    const { tokens: chosen } = candidatesOf(comparable, comparable.length, {
      promptLength: 0,
      topK: most,
    });
    return {
      tokens: chosen.map((index) => pool.tokens[index]!),
      probabilities: Float64Array.from(chosen, (index) => pool.probabilities[index]!),
    };
  }

  /** The named tokens and as many of the others as might be chosen. */
  #pool({ tokens, probabilities, sharedWeight }: NextTokens, most: number): ChosenTokens {
    const { order, probabilities: base } = this.#shared;
    const named = this.#named;
    for (const token of tokens) named[token] = 1;
    const others = new Int32Array(Math.min(most, order.length - tokens.length));
    for (let rank = 0, count = 0; count < others.length; rank++) {
      const token = order[rank]!;
      if (named[token] === 0) others[count++] = token;
    }
    for (const token of tokens) named[token] = 0;
    const pool = {
      tokens: new Int32Array(tokens.length + others.length),
      probabilities: new Float64Array(tokens.length + others.length),
    };
    pool.tokens.set(tokens);
    pool.tokens.set(others, tokens.length);
    pool.probabilities.set(probabilities);
    for (let index = 0; index < others.length; index++) {
      pool.probabilities[tokens.length + index] = sharedWeight * base[others[index]!]!;
    }
    return pool;
  }
}
