import type { Sampling, TokenMarker } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { SeededRandom } from '../../stats/sampling.ts';
import { candidatesOf } from '../../watermark/text/schemes/candidates.ts';
import type { NextTokenModel } from './next-token-model.ts';

/** Draws the tokens of one completion after another from a model. */
export class TokenSampler {
  readonly #model: NextTokenModel;
  readonly #sampling: Sampling;
  readonly #probabilities: Float32Array;
  readonly #logits: Float32Array;

  /** @throws TouchmarkError INPUT_INVALID for a length, temperature or topK outside its range */
  constructor(model: NextTokenModel, sampling: Sampling) {
    requireSampling(sampling);
    this.#model = model;
    this.#sampling = sampling;
    this.#probabilities = new Float32Array(model.vocabularySize);
    this.#logits = new Float32Array(model.vocabularySize);
  }

  /**
   * Draws the token after a context: from the `topK` likeliest tokens (the lower id first among
   * equals) with probabilities raised to 1 / temperature; at temperature 0, the likeliest.
   *
   * A marker gets the log-probabilities of the kept tokens divided by the temperature, and -Infinity
   * for the others; the token is then drawn from the softmax of what it leaves. At temperature 0
   * there is nothing to choose and it is not asked.
   *
   * @param context prompt and output so far
   * @throws TouchmarkError INPUT_INVALID when the marker leaves no token possible
   */
  draw(context: Int32Array, random: SeededRandom, marker?: TokenMarker): number {
    const { vocabularySize } = this.#model;
    const { temperature, topK = vocabularySize } = this.#sampling;
    const probabilities = this.#model.nextDistribution(context, this.#probabilities);
    if (temperature === 0) return likeliest(probabilities);
    if (marker === undefined && topK >= vocabularySize && temperature <= 1) {
      return drawTempered(probabilities, temperature, random);
    }
    const { tokens } = candidatesOf(probabilities, vocabularySize, { promptLength: 0, topK });
    writeLogits(this.#logits, tokens, probabilities, temperature);
    marker?.mark(this.#logits, context);
    return drawFromLogits(this.#logits, random);
  }
}

/**
 * Draws from p^(1 / temperature) by rejection from p (von Neumann 1951), which spares a power per
 * token. Temperatures from 0, excluded, to 1.
 */
function drawTempered(
  probabilities: Float32Array,
  temperature: number,
  random: SeededRandom,
): number {
  const sums = cumulated(probabilities);
  const highest = probabilities[likeliest(probabilities)]!;
  for (;;) {
    const token = firstAbove(sums, random.uniform() * sums.at(-1)!);
    const ratio = probabilities[token]! / highest;
    if (random.uniform() < ratio ** (1 / temperature - 1)) return token;
  }
}

/** Draws from the softmax of logits; NaN and -Infinity are impossible. */
function drawFromLogits(logits: Float32Array, random: SeededRandom): number {
  const highest = logits[likeliest(logits)]!;
  if (!(highest > -Infinity)) {
    throw new TouchmarkError('INPUT_INVALID', 'A marker has made every next token impossible.', {
      hint: 'Let the marker leave the logits alone when it has no token to prefer.',
    });
  }
  const tokens: number[] = [];
  const sums: number[] = [];
  let sum = 0;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    if (!(logit > -Infinity)) continue;
    sum += logit === highest ? 1 : Math.exp(logit - highest);
    tokens.push(token);
    sums.push(sum);
  }
  return tokens[firstAbove(sums, random.uniform() * sum)]!;
}

function writeLogits(
  logits: Float32Array,
  tokens: Int32Array,
  probabilities: Float32Array,
  temperature: number,
): void {
  logits.fill(-Infinity);
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    logits[token] = Math.log(probabilities[token]!) / temperature;
  }
}

/** The first index of the largest number; 0 when there is none. */
function likeliest(values: Float32Array): number {
  let best = 0;
  let highest = -Infinity;
  for (let index = 0; index < values.length; index++) {
    if (values[index]! > highest) {
      highest = values[index]!;
      best = index;
    }
  }
  return best;
}

function cumulated(values: Float32Array): Float64Array {
  const sums = new Float64Array(values.length);
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    sum += values[index]!;
    sums[index] = sum;
  }
  return sums;
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
