import { createHash } from 'node:crypto';
import type {
  LanguageModel,
  Outcome,
  Prompt,
  Sampling,
  TokenDistribution,
} from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { type Credentials, openTransport } from './credentials.ts';
import { HttpFailure } from './failures.ts';
import { type OpenAiApi, parseOpenAiAddress } from './openai-address.ts';
import { OpenAiConnection } from './openai-connection.ts';
import type { ListedToken } from './openai-wire.ts';
import type { Surroundings } from './suspect-surroundings.ts';
import type { TransportCounts, TransportOptions } from './transport.ts';

/** How to reach a language model that is asked to complete. */
export interface OpenAiLanguageOptions extends TransportOptions, Credentials, Surroundings {
  /** The model's name; default the address's `?model=`, else the only one that the server lists. */
  readonly model?: string;
  /** Default what the address ends in, else chat. */
  readonly api?: OpenAiApi;
  /** The system message; before the prompt where there are no roles. */
  readonly system?: string;
  /** Tokens that `score` asks for, 1 to 20; default 20. */
  readonly topLogprobs?: number;
}

/** A language model that is not ours. */
export interface RemoteLanguageModel extends LanguageModel {
  counts(): TransportCounts;
  /** Closes its connections; requests under way are cut off. */
  close(): Promise<void>;
  score(
    contexts: readonly Int32Array[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly Outcome<'score'>[]>;
}

/** Statuses that speak of one prompt: too long, or with a field that the server does not take. */
const unsupportedStatuses = new Set([400, 413, 422]);

/**
 * Returns a language model behind OpenAI's API.
 *
 * `complete` takes text by either API; token ids only by completions (OpenAI, vLLM, llama.cpp), else
 * 'unsupported'. `tokens` come where the server gives all ids, an end token's too: vLLM does, and
 * llama.cpp unless several tokens made up one character; OpenAI and Ollama give none. A seed is sent as
 * the first 31 bits of its SHA-256, where taken. `topK` is sent as `top_k`: vLLM and llama.cpp obey it,
 * OpenAI refuses it ('unsupported'), and Ollama ignores it and goes on cutting to its own 40, which
 * cannot be noticed. A temperature that the server refuses is 'unsupported' too.
 *
 * `score` asks completions for one token after the context and reads what that token could have been:
 * at most 20, and vLLM's drawn one besides. It is 'unsupported' by chat, wherever the listed tokens
 * come without ids (OpenAI, Ollama), and by llama.cpp where the token drawn is but a part of a
 * character. `describe` finds out by asking after token 1, which every vocabulary has.
 *
 * @throws USAGE for an address, bearer token or number of tokens that cannot be used; asking throws
 * as `Transport.post`, and SUSPECT_ANSWER_INVALID for replies that are none of this protocol.
 */
export function openOpenAiLanguageModel(
  address: string,
  options: OpenAiLanguageOptions = {},
): RemoteLanguageModel {
  const place = parseOpenAiAddress(address, options);
  const { system, topLogprobs = 20 } = options;
  if (!Number.isInteger(topLogprobs) || topLogprobs < 1 || topLogprobs > 20) {
    throw new TouchmarkError('USAGE', `${topLogprobs} tokens cannot be listed`, {
      hint: 'give topLogprobs from 1 to 20',
    });
  }
  const transport = openTransport(options);
  const server = new OpenAiConnection(place, transport);

  async function complete(
    prompt: Prompt,
    sampling: Sampling,
    signal: AbortSignal,
  ): Promise<Outcome<'complete'>> {
    const text = typeof prompt === 'string';
    if (!text && place.api === 'chat') return { missing: 'unsupported' };
    const { maxTokens, temperature, topK, seed } = sampling;
    const question = {
      prompt: text ? prompt : Array.from(prompt),
      ...(text && system !== undefined && { system }),
      maxTokens,
      temperature,
      ...(topK !== undefined && { topK }),
      ...(seed !== undefined && { seed: seedOf(seed) }),
      topLogprobs: 1,
      ids: true,
    };
    const reply = await server.ask(question, signal);
    if (reply.refused) return { missing: 'refused' };
    const { tokens } = reply;
    return { answer: { text: reply.text, ...(tokens !== undefined && { tokens }) } };
  }

  async function score(context: Int32Array, signal: AbortSignal): Promise<Outcome<'score'>> {
    if (place.api === 'chat') return { missing: 'unsupported' };
    const prompt = Array.from(context);
    const question = { prompt, maxTokens: 1, temperature: 1, topLogprobs, ids: true };
    const reply = await server.ask(question, signal);
    if (reply.refused) return { missing: 'refused' };
    const answer = distributionOf(reply.first?.listed ?? []);
    return answer === undefined ? { missing: 'unsupported' } : { answer };
  }

  return {
    async describe({ signal }) {
      const { name } = await server.name(signal);
      const scored = await attempt(() => score(Int32Array.of(1), signal));
      const scores = 'answer' in scored;
      return { name, gives: scores ? ['completions', 'token-probabilities'] : ['completions'] };
    },
    complete: (prompts, { sampling, signal }) =>
      inOrder(prompts, (prompt) => complete(prompt, sampling, signal)),
    score: (contexts, { signal }) => inOrder(contexts, (context) => score(context, signal)),
    counts: () => transport.counts,
    close: () => transport.close(),
  };
}

async function inOrder<Question, Answer>(
  questions: readonly Question[],
  ask: (question: Question) => Promise<Answer>,
): Promise<readonly (Answer | { readonly missing: 'unsupported' })[]> {
  const outcomes: (Answer | { readonly missing: 'unsupported' })[] = [];
  for (const question of questions) outcomes.push(await attempt(() => ask(question)));
  return outcomes;
}

/** What the server rejects of one question costs only that question's outcome. */
async function attempt<Answer>(
  ask: () => Promise<Answer>,
): Promise<Answer | { readonly missing: 'unsupported' }> {
  try {
    return await ask();
  } catch (error) {
    const cause = TouchmarkError.isInstance(error) ? error.cause : undefined;
    if (!(cause instanceof HttpFailure) || cause.exhausted) throw error;
    if (!unsupportedStatuses.has(cause.status)) throw error;
    return { missing: 'unsupported' };
  }
}

/** Returns a distribution, or undefined unless every listed token has an id of its own. */
function distributionOf(listed: readonly ListedToken[]): TokenDistribution | undefined {
  const ids = listed.map(({ id }) => id).filter((id) => id !== undefined);
  if (ids.length === 0 || new Set(ids).size !== listed.length) return undefined;
  const logProbabilities = listed.map(({ logProbability }) => Math.min(0, logProbability));
  return {
    tokens: Int32Array.from(ids),
    logProbabilities: Float32Array.from(logProbabilities),
  };
}

function seedOf(text: string): number {
  return createHash('sha256').update(text, 'utf8').digest().readUInt32BE(0) >>> 1;
}
