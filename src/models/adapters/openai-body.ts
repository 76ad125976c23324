import { TouchmarkError } from '../../errors.ts';
import { HttpFailure } from './failures.ts';
import type { OpenAiApi } from './openai-address.ts';

/** One question, before a server's dialect has changed it. */
export interface OpenAiQuestion {
  readonly prompt: string | readonly number[];
  readonly system?: string;
  readonly maxTokens: number;
  /** 0 takes the likeliest token; otherwise tokens are drawn from `topK`, or from all there are. */
  readonly temperature: number;
  readonly topK?: number;
  readonly seed?: number;
  /** How many tokens to list in each place; absent for none. */
  readonly topLogprobs?: number;
  /** Whether ids are wanted in the place of the listed tokens' texts. */
  readonly ids?: boolean;
}

/** What is sent whatever the API, the fields that OpenAI does not define included. */
interface CommonBody {
  readonly model: string;
  readonly max_tokens: number;
  readonly temperature: number;
  readonly top_p?: 1;
  /** 0 for all, as llama.cpp and vLLM read it. */
  readonly top_k?: number;
  readonly min_p?: 0;
  readonly seed?: number;
  /** vLLM's. */
  readonly return_tokens_as_token_ids?: true;
  readonly return_token_ids?: true;
}

/** A request to `/chat/completions`. */
export interface ChatBody extends CommonBody {
  readonly messages: { readonly role: 'system' | 'user'; readonly content: string }[];
  readonly logprobs?: true;
  readonly top_logprobs?: number;
}

/** A request to `/completions`. */
export interface CompletionBody extends CommonBody {
  readonly prompt: string | number[];
  readonly logprobs?: number;
}

/**
 * Returns the request for a question.
 *
 * Servers cut the distribution that they draw from unless told not to: llama.cpp's to `top_k` 40,
 * `top_p` .95 and `min_p` .05, Ollama's to `top_k` 40, vLLM's to what the model's own
 * `generation_config.json` says. So whatever is drawn is asked for with all three open.
 *
 * @throws USAGE for token ids by the chat API.
 */
export function bodyOf(
  question: OpenAiQuestion,
  api: OpenAiApi,
  model: string,
): ChatBody | CompletionBody {
  const { prompt, system, maxTokens, temperature, topK, seed, topLogprobs, ids } = question;
  const common: CommonBody = {
    model,
    max_tokens: maxTokens,
    temperature,
    ...(temperature > 0 && { top_p: 1, top_k: topK ?? 0, min_p: 0 }),
    ...(seed !== undefined && { seed }),
    ...(ids === true && { return_tokens_as_token_ids: true, return_token_ids: true }),
  };
  if (api === 'completions') {
    const text = system === undefined ? prompt : `${system}\n\n${prompt}`;
    return {
      ...common,
      prompt: typeof prompt === 'string' ? String(text) : [...prompt],
      ...(topLogprobs !== undefined && { logprobs: topLogprobs }),
    };
  }
  if (typeof prompt !== 'string') {
    throw new TouchmarkError('USAGE', 'the chat API takes no token ids', {
      hint: 'end the address in /completions',
    });
  }
  return {
    ...common,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: prompt },
    ],
    ...(topLogprobs !== undefined && { logprobs: true, top_logprobs: topLogprobs }),
  };
}

type Changed = Record<string, unknown>;
/** A change to the body for a server that named the field in refusing it. */
export type Remedy = (body: Changed) => void;

/**
 * What can be spared. A server that refuses the fields that open the distribution has no such cuts to
 * open; a temperature or a number of `top_k` that was asked for stays.
 */
const remedies: Readonly<Record<string, Remedy>> = {
  return_tokens_as_token_ids: (body) => delete body['return_tokens_as_token_ids'],
  return_token_ids: (body) => delete body['return_token_ids'],
  min_p: (body) => delete body['min_p'],
  top_k: (body) => delete body['top_k'],
  top_p: (body) => delete body['top_p'],
  seed: (body) => delete body['seed'],
  max_tokens: (body) => {
    body['max_completion_tokens'] = body['max_tokens'];
    delete body['max_tokens'];
  },
  top_logprobs: fewer,
  logprobs: fewer,
};

/** OpenAI's completions list at most 5; other servers have limits of their own. */
function fewer(body: Changed): void {
  const field = 'messages' in body ? 'top_logprobs' : 'logprobs';
  if (Number(body[field]) > 5) body[field] = 5;
  else {
    delete body['logprobs'];
    delete body['top_logprobs'];
  }
}

/** `max_tokens` has another name in chat only. */
function spared(name: string, body: Changed): boolean {
  if (name === 'max_tokens' && !('messages' in body)) return false;
  return name in body && (name !== 'top_k' || body[name] === 0);
}

/**
 * Returns what helps against a refusal, or undefined: the server must have named a field that was sent
 * and can be spared, with 400 or 422, or 403 as OpenAI's reasoning models do of `logprobs`.
 *
 * @param error What `Transport.post` threw.
 */
export function remedyFor(error: unknown, body: Changed): Remedy | undefined {
  const cause = TouchmarkError.isInstance(error) ? error.cause : undefined;
  if (!(cause instanceof HttpFailure) || cause.exhausted) return undefined;
  const field = Object.keys(remedies).find(
    (name) => spared(name, body) && new RegExp(`\\b${name}\\b`).test(cause.message),
  );
  if (field === undefined) return undefined;
  const statuses = field.endsWith('logprobs') ? [400, 403, 422] : [400, 422];
  return statuses.includes(cause.status) ? remedies[field] : undefined;
}
