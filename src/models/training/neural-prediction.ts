import {
  denseDistribution,
  type NextTokenModel,
  type NextTokens,
  type SharedDistribution,
} from '../language/next-token-model.ts';
import type { TokenRanks } from './token-ranks.ts';

/** Row-major: embeddings [inputs, e], inner [contextLength x e, h], outer [h, outputs]. */
export interface NeuralWeights {
  readonly contextLength: number;
  readonly embeddings: Float32Array;
  readonly inner: Float32Array;
  readonly innerBias: Float32Array;
  readonly outer: Float32Array;
  readonly outerBias: Float32Array;
}

/** A trained neural language model; see `trainNeuralLanguageModel`. */
export class NeuralLanguageModel implements NextTokenModel {
  readonly vocabularySize: number;
  readonly shared: SharedDistribution;
  readonly #weights: NeuralWeights;
  readonly #ranks: TokenRanks;
  /** What the shared distribution gives to the tokens without an output of their own. */
  readonly #sharedRest: number;

  constructor(weights: NeuralWeights, ranks: TokenRanks) {
    const { shared, shortlist } = ranks;
    this.vocabularySize = ranks.vocabularySize;
    this.shared = shared;
    this.#weights = weights;
    this.#ranks = ranks;
    const listed = new Set(shortlist);
    this.#sharedRest = shared.probabilities.reduce(
      (sum, probability, token) => sum + (listed.has(token) ? 0 : probability),
      0,
    );
  }

  next(context: Int32Array): NextTokens {
    const { contextLength } = this.#weights;
    const inputs = new Int32Array(contextLength);
    this.#ranks.writeContext(context, context.length, inputs);
    const outputs = softmax(outputsOf(this.#weights, inputs));
    const { shortlist } = this.#ranks;
    if (this.#sharedRest > 0) {
      const probabilities = outputs.subarray(0, shortlist.length);
      const sharedWeight = outputs[shortlist.length]! / this.#sharedRest;
      return { tokens: shortlist, probabilities, sharedWeight };
    }
    const all = 1 - outputs[shortlist.length]!;
    const probabilities = outputs.subarray(0, shortlist.length).map((each) => each / all);
    return { tokens: shortlist, probabilities, sharedWeight: 0 };
  }

  /** Returns the probability of every token id after a context; see `denseDistribution`. */
  nextDistribution(context: Int32Array, into?: Float32Array): Float32Array {
    return denseDistribution(this, context, into);
  }
}

function outputsOf(weights: NeuralWeights, inputs: Int32Array): Float64Array {
  const { embeddings, inner, innerBias, outer, outerBias } = weights;
  const size = inner.length / innerBias.length / inputs.length;
  const hidden = Float64Array.from(innerBias);
  for (let at = 0; at < inputs.length; at++) {
    for (let unit = 0; unit < size; unit++) {
      const value = embeddings[inputs[at]! * size + unit]!;
      addScaled(hidden, inner, (at * size + unit) * hidden.length, value);
    }
  }
  const sums = Float64Array.from(outerBias);
  for (let unit = 0; unit < hidden.length; unit++) {
    addScaled(sums, outer, unit * sums.length, Math.tanh(hidden[unit]!));
  }
  return sums;
}

function addScaled(sums: Float64Array, table: Float32Array, from: number, factor: number): void {
  for (let index = 0; index < sums.length; index++) {
    sums[index] = sums[index]! + factor * table[from + index]!;
  }
}

function softmax(logits: Float64Array): Float64Array {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = logits.map((logit) => Math.exp(logit - highest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
