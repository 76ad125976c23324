/** How likely tokens are to come next: some by name, all others as a shared distribution has them. */
export interface NextTokens {
  /** Token ids, each once. */
  readonly tokens: Int32Array;
  /** Their probabilities. */
  readonly probabilities: Float64Array;
  /** Every other token has this many times its probability in the model's shared distribution. */
  readonly sharedWeight: number;
}

/** A model in this process that knows how likely every token is to come next. */
export interface NextTokenModel {
  /** Token ids are in [0, vocabularySize). */
  readonly vocabularySize: number;
  /** What the tokens that a context says nothing about have in common. */
  readonly shared: SharedDistribution;
  /** @param context token ids of the text so far, from its beginning, oldest first */
  next(context: Int32Array): NextTokens;
}

/** A distribution over all token ids that is prepared once and read often. */
export class SharedDistribution {
  readonly probabilities: Float32Array;
  #order: Int32Array | undefined;
  #sums: Float64Array | undefined;

  /** @param probabilities one per token id */
  constructor(probabilities: Float32Array) {
    this.probabilities = probabilities;
  }

  /** The token ids, the likeliest first. */
  get order(): Int32Array {
    const { probabilities } = this;
    this.#order ??= Int32Array.from(probabilities.keys()).sort(
      (a, b) => probabilities[b]! - probabilities[a]!,
    );
    return this.#order;
  }

  /** The sums of the probabilities up to each token id. */
  get sums(): Float64Array {
    this.#sums ??= cumulated(this.probabilities);
    return this.#sums;
  }
}

/**
 * Returns the probability of every token id after a context.
 *
 * @param into written and returned when given; `vocabularySize` long
 */
export function denseDistribution(
  model: NextTokenModel,
  context: Int32Array,
  into: Float32Array = new Float32Array(model.vocabularySize),
): Float32Array {
  const { tokens, probabilities, sharedWeight } = model.next(context);
  writeScaled(into, model.shared.probabilities, sharedWeight);
  for (let index = 0; index < tokens.length; index++) into[tokens[index]!] = probabilities[index]!;
  return into;
}

function writeScaled(into: Float32Array, values: Float32Array, factor: number): void {
  for (let token = 0; token < values.length; token++) into[token] = values[token]! * factor;
}

/** Returns the sums of the numbers up to each. */
export function cumulated(values: Float32Array | Float64Array): Float64Array {
  const sums = new Float64Array(values.length);
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    sum += values[index]!;
    sums[index] = sum;
  }
  return sums;
}
