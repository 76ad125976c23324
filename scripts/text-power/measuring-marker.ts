import type { TokenCandidates, TokenMarker } from '../../src/contracts.ts';

/** Sums over steps. */
export interface Measures {
  entropy: number;
  variation: number;
  steps: number;
}

/** Passes candidates on to a marker, if there is one, and measures what it changes. */
export class MeasuringMarker implements TokenMarker {
  readonly #inner: TokenMarker | undefined;
  readonly #measures: Measures;

  constructor(inner: TokenMarker | undefined, measures: Measures) {
    this.#inner = inner;
    this.#measures = measures;
  }

  mark(): never {
    throw new Error('the sampler of the power script hands over candidates');
  }

  markCandidates(candidates: TokenCandidates, context: Int32Array): void {
    const before = softmax(candidates.logits);
    this.#inner?.markCandidates?.(candidates, context);
    const after = softmax(candidates.logits);
    for (const [index, probability] of before.entries()) {
      if (probability > 0) this.#measures.entropy -= probability * Math.log(probability);
      this.#measures.variation += Math.abs(after[index]! - probability) / 2;
    }
    this.#measures.steps += 1;
  }
}

function softmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const highest = values.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = values.map((logit) => Math.exp(logit - highest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
