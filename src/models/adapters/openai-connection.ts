import type { LanguageDescription } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { JsonTransport } from './credentials.ts';
import { excerpt } from './excerpt.ts';
import { busy, HttpFailure, notOffered } from './failures.ts';
import { type OpenAiAddress, routeOf } from './openai-address.ts';
import { modelList, type OpenAiReply, openAiReplies, readChoice } from './openai-wire.ts';
import { checkReply } from './replies.ts';

/** One question, before a server's dialect has changed it. */
export interface OpenAiQuestion {
  readonly prompt: string | readonly number[];
  readonly system?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly seed?: number;
  /** How many tokens to list in each place; absent for none. */
  readonly topLogprobs?: number;
  /** Whether ids are wanted in the place of the listed tokens' texts. */
  readonly ids?: boolean;
}

type Body = Record<string, unknown>;
/** A change to the body for a server that named the field in refusing it. */
type Remedy = (body: Body) => void;

/** Only fields whose absence changes no distribution: temperature and top_k are never given up. */
const remedies: Readonly<Record<string, Remedy>> = {
  return_tokens_as_token_ids: (body) => delete body['return_tokens_as_token_ids'],
  return_token_ids: (body) => delete body['return_token_ids'],
  seed: (body) => delete body['seed'],
  max_tokens: (body) => {
    body['max_completion_tokens'] = body['max_tokens'];
    delete body['max_tokens'];
  },
  top_logprobs: fewer,
  logprobs: fewer,
};

/** OpenAI's completions list at most 5; other servers have limits of their own. */
function fewer(body: Body): void {
  const field = 'messages' in body ? 'top_logprobs' : 'logprobs';
  if (Number(body[field]) > 5) body[field] = 5;
  else {
    delete body['logprobs'];
    delete body['top_logprobs'];
  }
}

/** Asks one server, and remembers which fields it does not take. */
export class OpenAiConnection {
  readonly #address: OpenAiAddress;
  readonly #transport: JsonTransport;
  readonly #applied: Remedy[] = [];
  #model: Promise<string | undefined> | undefined;

  constructor(address: OpenAiAddress, transport: JsonTransport) {
    this.#address = address;
    this.#transport = transport;
  }

  /**
   * Returns the answer to a question. Fields that only some servers take are left out once the server
   * has refused them with 400 or 422 by name.
   *
   * @throws as `Transport.post`; SUSPECT_ANSWER_INVALID for a reply that is none of this protocol;
   * USAGE when no model is named and the server does not offer exactly one.
   */
  async ask(question: OpenAiQuestion, signal: AbortSignal): Promise<OpenAiReply> {
    const { base, api, shown } = this.#address;
    const original = { model: await this.model(signal), ...bodyOf(question, api) };
    for (;;) {
      const body: Body = { ...original };
      for (const remedy of this.#applied) remedy(body);
      try {
        const reply = await this.#transport.post(routeOf(base, api), body, signal);
        return readChoice(checkReply(openAiReplies[api], reply, shown));
      } catch (error) {
        const remedy = remedyFor(error, body);
        if (remedy === undefined) throw error;
        this.#applied.push(remedy);
      }
    }
  }

  /** Returns the model that is asked for: the one named, else the only one that the server lists. */
  async model(signal: AbortSignal): Promise<string> {
    const { model, shown } = this.#address;
    if (model !== undefined) return model;
    this.#model ??= this.#only(signal).catch((error) => {
      this.#model = undefined;
      throw error;
    });
    const only = await this.#model;
    if (only !== undefined) return only;
    throw new TouchmarkError('USAGE', `which of the models at ${shown} to ask is not said`, {
      hint: 'write ?model=NAME behind the address',
    });
  }

  /** Returns how the model is called in descriptions. @throws as `model` */
  async name(signal: AbortSignal): Promise<Pick<LanguageDescription, 'name'>> {
    return { name: excerpt(await this.model(signal)) };
  }

  /** Returns the models that the server lists, or undefined when it offers no list. */
  async list(signal: AbortSignal): Promise<readonly string[] | undefined> {
    const { base, shown } = this.#address;
    try {
      const reply = await this.#transport.get(routeOf(base, 'models'), signal);
      return checkReply(modelList, reply, shown).data.map(({ id }) => id);
    } catch (error) {
      if (notOffered(error) && !busy(error)) return undefined;
      throw error;
    }
  }

  async #only(signal: AbortSignal): Promise<string | undefined> {
    const models = await this.list(signal);
    return models?.length === 1 ? models[0] : undefined;
  }
}

function bodyOf(question: OpenAiQuestion, api: OpenAiAddress['api']): Body {
  const { prompt, system, maxTokens, temperature, topK, seed, topLogprobs, ids } = question;
  const chat = api === 'chat';
  const roles = system === undefined ? [] : [{ role: 'system', content: system }];
  const before =
    system === undefined || typeof prompt !== 'string' ? prompt : `${system}\n\n${prompt}`;
  const listing = chat ? { logprobs: true, top_logprobs: topLogprobs } : { logprobs: topLogprobs };
  return {
    ...(chat ? { messages: [...roles, { role: 'user', content: prompt }] } : { prompt: before }),
    max_tokens: maxTokens,
    temperature,
    ...(topK !== undefined && { top_k: topK }),
    ...(seed !== undefined && { seed }),
    ...(topLogprobs !== undefined && listing),
    ...(ids === true && { return_tokens_as_token_ids: true, return_token_ids: true }),
  };
}

function remedyFor(error: unknown, body: Body): Remedy | undefined {
  const cause = TouchmarkError.isInstance(error) ? error.cause : undefined;
  if (!(cause instanceof HttpFailure) || ![400, 422].includes(cause.status)) return undefined;
  const field = Object.keys(remedies).find(
    (name) => name in body && new RegExp(`\\b${name}\\b`).test(cause.message),
  );
  return field === undefined ? undefined : remedies[field];
}
