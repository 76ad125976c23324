import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  Completion,
  LanguageDescription,
  LanguageModel,
  Outcome,
  Prompt,
  Sampling,
  TokenDistribution,
  Tokenizer,
  TokenMarker,
} from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { seededRandom } from '../../stats/sampling.ts';
import type { NextTokenModel } from './next-token-model.ts';
import { TokenSampler } from './sampling.ts';
import { TokenChoice } from './token-choice.ts';

export interface InProcessOptions {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** Returns the marker of one completion; completions are unmarked without it. */
  readonly marker?: (promptLength: number) => TokenMarker;
  /** The likeliest tokens that `score` lists; 1,000 by default. */
  readonly listed?: number;
}

const tokensPerTurn = 128;

/**
 * A model of this process behind the port of all language models.
 *
 * The same seed and prompt give the same completion under the same marker; without a seed every
 * completion is new. Completions have exactly `maxTokens` tokens, as nothing ends a text. `score`
 * tells the model's own distribution, unmarked and at temperature 1.
 */
export class InProcessLanguageModel implements LanguageModel {
  readonly #model: NextTokenModel;
  readonly #choice: TokenChoice;
  readonly #options: InProcessOptions;

  /** @throws TouchmarkError CONFIG_INVALID when the tokenizer has ids that the model lacks */
  constructor(model: NextTokenModel, options: InProcessOptions) {
    const { tokenizer, name } = options;
    if (tokenizer.vocabularySize > model.vocabularySize) {
      throw new TouchmarkError(
        'CONFIG_INVALID',
        `The tokenizer ${tokenizer.name} has ${tokenizer.vocabularySize} ids, the model ${name} only ${model.vocabularySize}.`,
        { hint: 'Use the tokenizer that the model was trained with.' },
      );
    }
    this.#model = model;
    this.#choice = new TokenChoice(model.shared);
    this.#options = options;
  }

  async describe(): Promise<LanguageDescription> {
    return {
      name: this.#options.name,
      vocabularySize: this.#model.vocabularySize,
      gives: ['completions', 'token-probabilities'],
    };
  }

  /**
   * @throws TouchmarkError INPUT_INVALID for a sampling option or a prompt's token id outside its
   *   range; the signal's reason when it was aborted
   */
  async complete(
    prompts: readonly Prompt[],
    options: { readonly sampling: Sampling; readonly signal: AbortSignal },
  ): Promise<readonly Outcome<'complete'>[]> {
    const { sampling, signal } = options;
    const sampler = new TokenSampler(this.#model, sampling);
    const outcomes: Outcome<'complete'>[] = [];
    for (const prompt of prompts) {
      const tokens = this.#encode(prompt);
      outcomes.push({ answer: await this.#completion(tokens, sampler, sampling, signal) });
    }
    return outcomes;
  }

  /** @throws TouchmarkError INPUT_INVALID for a token id out of range; the reason of an abort */
  async score(
    contexts: readonly Int32Array[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly Outcome<'score'>[]> {
    const outcomes: Outcome<'score'>[] = [];
    for (const [index, context] of contexts.entries()) {
      if (index % tokensPerTurn === 0) await nextTurn();
      signal.throwIfAborted();
      outcomes.push({ answer: this.#distribution(this.#encode(context)) });
    }
    return outcomes;
  }

  async #completion(
    prompt: Int32Array,
    sampler: TokenSampler,
    { maxTokens, seed = randomUUID() }: Sampling,
    signal: AbortSignal,
  ): Promise<Completion> {
    const random = seededRandom(`${seed}/${prompt.join(',')}`);
    const marker = this.#options.marker?.(prompt.length);
    const sequence = new Int32Array(prompt.length + maxTokens);
    sequence.set(prompt);
    for (let position = prompt.length; position < sequence.length; position++) {
      if ((position - prompt.length) % tokensPerTurn === 0) await nextTurn();
      signal.throwIfAborted();
      sequence[position] = sampler.draw(sequence.subarray(0, position), random, marker);
    }
    const tokens = sequence.slice(prompt.length);
    return { text: this.#options.tokenizer.decode(Array.from(tokens)), tokens };
  }

  #distribution(context: Int32Array): TokenDistribution {
    const { listed = 1000 } = this.#options;
    const { tokens, probabilities } = this.#choice.likeliest(this.#model.next(context), listed);
    return { tokens, logProbabilities: Float32Array.from(probabilities, Math.log) };
  }

  #encode(prompt: Prompt): Int32Array {
    if (typeof prompt === 'string') return Int32Array.from(this.#options.tokenizer.encode(prompt));
    const { vocabularySize } = this.#model;
    const outside = prompt.find((token) => token < 0 || token >= vocabularySize);
    if (outside === undefined) return prompt;
    throw new TouchmarkError(
      'INPUT_INVALID',
      `A prompt has the token id ${outside}, outside the model's vocabulary of ${vocabularySize}.`,
      { hint: 'Encode prompts with the tokenizer of the model.' },
    );
  }
}
