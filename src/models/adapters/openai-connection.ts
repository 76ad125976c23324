import type { LanguageDescription } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { JsonTransport } from './credentials.ts';
import { excerpt } from './excerpt.ts';
import { busy, notOffered } from './failures.ts';
import { type OpenAiAddress, routeOf } from './openai-address.ts';
import { bodyOf, type OpenAiQuestion, type Remedy, remedyFor } from './openai-body.ts';
import { plainly } from './openai-errors.ts';
import { modelList, type OpenAiReply, openAiReplies, readChoice } from './openai-wire.ts';
import { checkReply } from './replies.ts';

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
   * has refused them by name.
   *
   * @throws as `Transport.post`; SUSPECT_ANSWER_INVALID for a reply that is none of this protocol;
   * USAGE when no model is named and the server does not offer exactly one.
   */
  async ask(question: OpenAiQuestion, signal: AbortSignal): Promise<OpenAiReply> {
    const { base, api, shown } = this.#address;
    const original = bodyOf(question, api, await this.model(signal));
    for (;;) {
      const known = this.#applied.length;
      const body: Record<string, unknown> = { ...original };
      for (const remedy of this.#applied) remedy(body);
      try {
        const reply = await this.#transport.post(routeOf(base, api), body, signal);
        return readChoice(checkReply(openAiReplies[api], reply, shown));
      } catch (error) {
        const remedy = remedyFor(error, body);
        if (remedy === undefined) throw plainly(error);
        const refusedToOthersToo = this.#applied.length > known;
        if (!refusedToOthersToo) this.#applied.push(remedy);
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
