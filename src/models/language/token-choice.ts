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
  readonly #tokens: Int32Array;
  readonly #probabilities: Float64Array;

  constructor(shared: SharedDistribution) {
    const { length } = shared.probabilities;
    this.#shared = shared;
    this.#named = new Uint8Array(length);
    this.#tokens = new Int32Array(length);
    this.#probabilities = new Float64Array(length);
  }

  /** Returns the `most` likeliest tokens, in no order; all of them when there are fewer. */
  likeliest(next: NextTokens, most: number): ChosenTokens {
    const size = this.#fillPool(next, most);
    const tokens = this.#tokens.subarray(0, size);
    const probabilities = this.#probabilities.subarray(0, size);
    if (most >= size) return { tokens: tokens.slice(), probabilities: probabilities.slice() };
    const { tokens: chosen } = candidatesOf(new Float32Array(probabilities), size, {
      promptLength: 0,
      topK: most,
    });
    return picked(tokens, probabilities, chosen);
  }

  /** Puts the named tokens and as many of the others as might be chosen together; says how many. */
  #fillPool({ tokens, probabilities, sharedWeight }: NextTokens, most: number): number {
    const { order, probabilities: base } = this.#shared;
    const named = this.#named;
    const size = Math.min(tokens.length + most, order.length);
    for (const token of tokens) named[token] = 1;
    this.#tokens.set(tokens);
    this.#probabilities.set(probabilities);
    for (let rank = 0, count = tokens.length; count < size; rank++) {
      const token = order[rank]!;
      if (named[token] === 1) continue;
      this.#tokens[count] = token;
      this.#probabilities[count++] = sharedWeight * base[token]!;
    }
    for (const token of tokens) named[token] = 0;
    return size;
  }
}

function picked(tokens: Int32Array, probabilities: Float64Array, chosen: Int32Array): ChosenTokens {
  const result = {
    tokens: new Int32Array(chosen.length),
    probabilities: new Float64Array(chosen.length),
  };
  for (let index = 0; index < chosen.length; index++) {
    result.tokens[index] = tokens[chosen[index]!]!;
    result.probabilities[index] = probabilities[chosen[index]!]!;
  }
  return result;
}
