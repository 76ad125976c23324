import type { TokenMarker } from '../../src/contracts.ts';

/** Sums over steps. */
export interface Measures {
  entropy: number;
  variation: number;
  steps: number;
}

/** Passes logits on to a marker, if there is one, and measures what it changes. */
export class MeasuringMarker implements TokenMarker {
  readonly #inner: TokenMarker | undefined;
  readonly #measures: Measures;

  constructor(inner: TokenMarker | undefined, measures: Measures) {
    this.#inner = inner;
    this.#measures = measures;
  }

  mark(logits: Float32Array, context: Int32Array): void {
    const tokens = possible(logits);
    const before = softmax(tokens, logits);
    this.#inner?.mark(logits, context);
    const after = softmax(tokens, logits);
    for (const [index, probability] of before.entries()) {
      if (probability > 0) this.#measures.entropy -= probability * Math.log(probability);
      this.#measures.variation += Math.abs(after[index]! - probability) / 2;
    }
    this.#measures.steps += 1;
  }
}

function possible(logits: Float32Array): Int32Array {
  const tokens = new Int32Array(logits.length);
  let count = 0;
  for (let token = 0; token < logits.length; token++) {
    if (logits[token]! > -Infinity) tokens[count++] = token;
  }
  return tokens.slice(0, count);
}

function softmax(tokens: Int32Array, logits: Float32Array): Float64Array {
  const highest = tokens.reduce((most, token) => Math.max(most, logits[token]!), -Infinity);
  const weights = Float64Array.from(tokens, (token) => Math.exp(logits[token]! - highest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
