import { randomInt } from 'node:crypto';
import type { TokenMarker } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { requireText } from './text-of.ts';
import type { Touchmark } from './touchmark.ts';
import type { GenerationRequest } from './transformers.ts';

/** What is used of a `LlamaContextSequence` of node-llama-cpp 3, which this package does not import. */
export interface LlamaSequence {
  readonly model: {
    isEogToken(token: number | undefined): boolean;
    detokenize(tokens: readonly number[]): string;
  };
  controlledEvaluate(
    input: (number | [token: number, options: { generateNext?: WholeDistribution }])[],
  ): Promise<readonly ({ readonly next: NextTokens } | undefined)[]>;
}

interface WholeDistribution {
  probabilities?: boolean;
  options?: { temperature?: number; topK?: number; topP?: number; minP?: number };
}

interface NextTokens {
  readonly probabilities?: ReadonlyMap<number, number>;
}

/** What to say in a sequence, and how. */
export interface SampleOptions<Token extends number> extends GenerationRequest {
  /** The tokens to go on from, at least one, which the sequence does not have yet. */
  readonly prompt: readonly Token[];
  readonly maxTokens: number;
  /** Above 0; 1, the model's own distribution, by default. */
  readonly temperature?: number;
  /** Ends the answer where it is; it is recorded so far. */
  readonly signal?: AbortSignal;
  /** Hears each token as it is drawn, before the record; the answer ends with the promise. */
  readonly onToken?: (token: Token) => void;
}

/** What was said, without the token that ended it. */
export interface SampledAnswer<Token> {
  readonly tokens: readonly Token[];
  readonly text: string;
}

/**
 * Draws an answer token by token from the whole distribution of a model of node-llama-cpp, each marked,
 * and resolves with it once the log has it. The profile's tokenizer must be the model's.
 *
 * @example
 * const sequence = context.getSequence();
 * const prompt = model.tokenize('The capital of France is', true);
 * const { text } = await sampleWithTouchmark(touchmark, sequence, { tenant, request, prompt, maxTokens: 100 });
 *
 * @throws TouchmarkError CONFIG_INVALID without a text profile or for one of another vocabulary;
 *   INPUT_INVALID for an empty prompt or a temperature of 0; TENANT_UNKNOWN; and, under a policy that
 *   fails closed, what kept the answer from being marked or recorded
 */
export async function sampleWithTouchmark<Token extends number>(
  touchmark: Touchmark,
  sequence: LlamaSequence,
  options: SampleOptions<Token>,
): Promise<SampledAnswer<Token>> {
  const { tenant, request, modelVersion, prompt, onToken } = options;
  requireSampling(options);
  const marking = requireText(touchmark);
  const answer = marking.begin(tenant);
  const tokens: Token[] = [];
  const record = async (): Promise<SampledAnswer<Token>> => {
    const text = sequence.model.detokenize(tokens);
    const version = modelVersion === undefined ? {} : { modelVersion };
    await answer.record({ request, texts: [text], how: 'tokens', ...version });
    return { tokens, text };
  };
  try {
    const drawer = new TokenDrawer<Token>(sequence, marking.profile.tokenizer.vocabularySize, {
      ...options,
      marker: answer.marker({ promptLength: prompt.length }),
    });
    while (tokens.length < options.maxTokens && !options.signal?.aborted) {
      const token = await drawer.draw();
      if (sequence.model.isEogToken(token)) break;
      tokens.push(token);
      onToken?.(token);
    }
  } catch (cause) {
    if (onToken && tokens.length > 0) await record();
    throw cause;
  }
  return record();
}

interface DrawerOptions<Token extends number>
  extends Pick<SampleOptions<Token>, 'prompt' | 'maxTokens' | 'temperature'> {
  readonly marker: TokenMarker | undefined;
}

/** Draws one token after another, and feeds each to the sequence when the next is drawn. */
class TokenDrawer<Token extends number> {
  readonly #sequence: LlamaSequence;
  readonly #marker: TokenMarker | undefined;
  readonly #temperature: number;
  readonly #logits: Float32Array;
  readonly #context: Int32Array;
  #length: number;
  #waiting: readonly Token[];

  constructor(
    sequence: LlamaSequence,
    vocabularySize: number,
    { prompt, maxTokens, temperature = 1, marker }: DrawerOptions<Token>,
  ) {
    this.#sequence = sequence;
    this.#marker = marker;
    this.#temperature = temperature;
    this.#logits = new Float32Array(vocabularySize);
    this.#context = new Int32Array(prompt.length + maxTokens);
    this.#context.set(prompt);
    this.#length = prompt.length;
    this.#waiting = prompt;
  }

  async draw(): Promise<Token> {
    const next = await this.#next();
    const logits = this.#logits.fill(-Infinity);
    for (const [token, probability] of next) {
      if (token >= logits.length) throw vocabularyError(token, logits.length);
      logits[token] = Math.log(probability) / this.#temperature;
    }
    this.#marker?.mark(logits, this.#context.subarray(0, this.#length));
    const token = drawFrom(logits) as Token;
    this.#context[this.#length] = token;
    this.#length += 1;
    this.#waiting = [token];
    return token;
  }

  async #next(): Promise<ReadonlyMap<number, number>> {
    const last = this.#waiting.at(-1)!;
    const options = { temperature: 1, topK: 0, topP: 1, minP: 0 };
    const outputs = await this.#sequence.controlledEvaluate([
      ...this.#waiting.slice(0, -1),
      [last, { generateNext: { probabilities: true, options } }],
    ]);
    const next = outputs.at(-1)?.next.probabilities;
    if (next && next.size > 0) return next;
    throw new TouchmarkError('UPSTREAM_ANSWER_INVALID', 'The sequence gave no probabilities.', {
      hint: 'Give a sequence of node-llama-cpp 3, whose controlledEvaluate tells them.',
    });
  }
}

/** Draws from the softmax of logits with the system's randomness. */
function drawFrom(logits: Float32Array): number {
  let highest = -Infinity;
  for (const logit of logits) if (logit > highest) highest = logit;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - highest);
  let rest = (randomInt(2 ** 48 - 1) / (2 ** 48 - 1)) * total;
  let last = 0;
  for (let token = 0; token < logits.length; token++) {
    const weight = Math.exp(logits[token]! - highest);
    if (weight === 0) continue;
    last = token;
    rest -= weight;
    if (rest < 0) break;
  }
  return last;
}

function requireSampling<Token extends number>({
  prompt,
  temperature = 1,
}: SampleOptions<Token>): void {
  if (prompt.length > 0 && temperature > 0) return;
  const what = prompt.length === 0 ? 'An empty prompt' : `A temperature of ${temperature}`;
  throw new TouchmarkError('INPUT_INVALID', `${what} leaves nothing to draw.`, {
    hint: 'Give one token at least, and a temperature above 0: a mark is in what is drawn.',
  });
}

function vocabularyError(token: number, size: number): TouchmarkError {
  return new TouchmarkError(
    'CONFIG_INVALID',
    `The model has the token ${token}; the text profile's tokenizer has ${size}.`,
    { hint: "Set tokenizer.vocabularySize of the profile to the model's." },
  );
}
