import type { Sampling, TokenMarker } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { SeededRandom } from '../../stats/sampling.ts';
import {
  cumulated,
  type NextTokenModel,
  type NextTokens,
  type SharedDistribution,
} from './next-token-model.ts';
import { TokenChoice } from './token-choice.ts';

/** Proposals tried before all probabilities are raised to a power after all. */
const mostProposals = 200;

/** Draws the tokens of completions one after another from a model. */
export class TokenSampler {
  readonly #model: NextTokenModel;
  readonly #sampling: Sampling;
  readonly #choice: TokenChoice;
  #logits: Float32Array | undefined;

  /** @throws TouchmarkError INPUT_INVALID for a length, temperature or topK outside its range */
  constructor(model: NextTokenModel, sampling: Sampling) {
    requireSampling(sampling);
    this.#model = model;
    this.#sampling = sampling;
    this.#choice = new TokenChoice(model.shared);
  }

  /**
   * Draws the token after a context: from the `topK` likeliest tokens with probabilities raised to
   * 1 / temperature; at temperature 0, the likeliest.
   *
   * A marker gets ln(p / highest p) / temperature for the kept tokens and -Infinity for the others;
   * the token is then drawn from the softmax of what it leaves of the kept tokens.
   * At temperature 0 there is nothing to choose and it is not asked.
   *
   * @param context prompt and output so far
   * @throws TouchmarkError INPUT_INVALID when the marker leaves no token possible
   */
  draw(context: Int32Array, random: SeededRandom, marker?: TokenMarker): number {
    const { vocabularySize, shared } = this.#model;
    const { temperature, topK = vocabularySize } = this.#sampling;
    const next = this.#model.next(context);
    if (temperature === 0) return this.#choice.likeliest(next, 1).tokens[0]!;
    if (marker === undefined && topK >= vocabularySize && temperature <= 1) {
      const token = drawTempered(next, shared, temperature, random);
      if (token !== undefined) return token;
    }
    const { tokens, probabilities } = this.#choice.likeliest(next, topK);
    const logits = temperedLogits(probabilities, temperature);
    if (marker?.markCandidates) marker.markCandidates({ tokens, logits }, context);
    else if (marker) this.#markDense(marker, tokens, logits, context);
    return tokens[drawFromLogits(logits, random)]!;
  }

  #markDense(
    marker: TokenMarker,
    tokens: Int32Array,
    logits: Float64Array,
    context: Int32Array,
  ): void {
    this.#logits ??= new Float32Array(this.#model.vocabularySize);
    this.#logits.fill(-Infinity);
    for (let index = 0; index < tokens.length; index++) {
      this.#logits[tokens[index]!] = logits[index]!;
    }
    marker.mark(this.#logits, context);
    for (let index = 0; index < tokens.length; index++) {
      logits[index] = this.#logits[tokens[index]!]!;
    }
  }
}

function temperedLogits(probabilities: Float64Array, temperature: number): Float64Array {
  const highest = largest(probabilities);
  const logits = new Float64Array(probabilities.length);
  for (let index = 0; index < logits.length; index++) {
    logits[index] = Math.log(probabilities[index]! / highest) / temperature;
  }
  return logits;
}

/**
 * Draws from p^(1 / temperature) by rejection (von Neumann 1951), which spares a power per token.
 * Proposals are draws from p, and from the shared distribution, where named tokens do not count.
 * Temperatures from 0, excluded, to 1. Undefined after many rejections, which tell nothing of what
 * would have been accepted: the token may then be drawn in any other way.
 */
function drawTempered(
  { tokens, probabilities, sharedWeight }: NextTokens,
  shared: SharedDistribution,
  temperature: number,
  random: SeededRandom,
): number | undefined {
  const sums = cumulated(probabilities);
  const named = sums.at(-1) ?? 0;
  const total = named + sharedWeight * shared.sums.at(-1)!;
  const highest = Math.max(
    largest(probabilities),
    sharedWeight * shared.probabilities[shared.order[0]!]!,
  );
  const accepts = (probability: number) =>
    random.uniform() < (probability / highest) ** (1 / temperature - 1);
  for (let proposal = 0; proposal < mostProposals; proposal++) {
    const at = random.uniform() * total;
    if (at < named) {
      const index = firstAbove(sums, at);
      if (accepts(probabilities[index]!)) return tokens[index]!;
    } else {
      const token = firstAbove(shared.sums, random.uniform() * shared.sums.at(-1)!);
      const isNamed = tokens.includes(token);
      if (!isNamed && accepts(sharedWeight * shared.probabilities[token]!)) return token;
    }
  }
  return undefined;
}

/** Draws from the softmax of logits, and returns the index; NaN and -Infinity are impossible. */
function drawFromLogits(logits: Float64Array, random: SeededRandom): number {
  const highest = largest(logits);
  if (highest === -Infinity) {
    throw new TouchmarkError('INPUT_INVALID', 'A marker has made every next token impossible.', {
      hint: 'Let the marker leave the logits alone when it has no token to prefer.',
    });
  }
  const sums = new Float64Array(logits.length);
  let sum = 0;
  for (let index = 0; index < logits.length; index++) {
    const logit = logits[index]!;
    if (logit > -Infinity) sum += logit === highest ? 1 : Math.exp(logit - highest);
    sums[index] = sum;
  }
  return firstAbove(sums, random.uniform() * sum);
}

/** The largest number that is one. */
function largest(values: Float64Array): number {
  let highest = -Infinity;
  for (const value of values) if (value > highest) highest = value;
  return highest;
}

/** The first index whose sum is above a number below the last one. */
function firstAbove(sums: ArrayLike<number>, number: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[middle]! > number) high = middle;
    else low = middle + 1;
  }
  return low;
}

function requireSampling({ maxTokens, temperature, topK }: Sampling): void {
  const problem =
    !Number.isSafeInteger(maxTokens) || maxTokens < 0
      ? `maxTokens ${maxTokens} is no whole number of at least 0`
      : !Number.isFinite(temperature) || temperature < 0
        ? `temperature ${temperature} is no number of at least 0`
        : topK !== undefined && (!Number.isSafeInteger(topK) || topK < 1)
          ? `topK ${topK} is no whole number of at least 1`
          : undefined;
  if (problem === undefined) return;
  throw new TouchmarkError('INPUT_INVALID', `Tokens cannot be drawn so: ${problem}.`, {
    hint: 'Correct the sampling options of the request.',
  });
}
