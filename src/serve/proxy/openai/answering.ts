import { RequestError } from '../../failures.ts';
import { invalid } from '../../inputs.ts';
import type { TextAnswer, TextMarking } from '../../text-marking.ts';
import {
  type ForwardedReply,
  readJson,
  requireSuccess,
  type UpstreamConnection,
  unusable,
} from '../upstream-connection.ts';
import { type AskWhole, chooseReply, createDrafter } from './drafts.ts';
import type { OpenAiMode } from './mode.ts';
import type { StreamedTexts } from './relay.ts';
import { type Reply, readReply } from './reply.ts';
import { type OpenAiRequest, routePaths, withBiases } from './request.ts';

/** Drafts of all answers to one request. */
const mostDrafts = 128;
/** Of what an upstream says against a request. */
const longestRefusal = 2 ** 16;

const quotesBiases = /logit.?bias|\d["']?\s*[:=]\s*-?\d|\[\s*\d+\s*,\s*-?\d/i;

export interface Asker {
  readonly tenant: string;
  readonly marked: boolean;
}

/** Answers requests to a language model, marked and recorded. */
export interface OpenAiAnswering {
  begin(asked: OpenAiRequest, asker: Asker): TextAnswer;
  /** Says whether an answer must be whole before any of it is served. */
  needsWhole(answer: TextAnswer): boolean;
  /**
   * Resolves with the whole reply once the log has it. A marked one that the log refuses is thrown away;
   * under a policy that fails open the model is then asked for another, without the mark.
   */
  whole(
    asked: OpenAiRequest,
    answer: TextAnswer,
    options: { readonly tenant: string; readonly signal: AbortSignal },
  ): Promise<Reply>;
  /** Resolves with the upstream's own stream, marked by biases; recording is the caller's. */
  stream(
    asked: OpenAiRequest,
    answer: TextAnswer,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  record(asked: OpenAiRequest, answer: TextAnswer, served: StreamedTexts): Promise<void>;
}

export function createAnswering(options: {
  readonly upstream: UpstreamConnection;
  readonly basePath: string;
  readonly marking: TextMarking;
  readonly mode: OpenAiMode;
  readonly onDrafts?: (drafts: number) => void;
}): OpenAiAnswering {
  const { upstream, basePath, marking, mode, onDrafts } = options;
  const isDrafted = ({ watermark }: TextAnswer) => mode.how === 'drafts' && watermark !== undefined;

  const ask: AskWhole = async (route, body, signal) => {
    const { stream: _, stream_options: __, ...whole } = body;
    const path = basePath + routePaths[route];
    const sent = await upstream.send({
      method: 'POST',
      path,
      body: JSON.stringify(whole),
      signal,
    });
    requireServed(sent);
    return readReply(readJson(sent.body));
  };
  const drafter = createDrafter(ask);

  const biased = (asked: OpenAiRequest, answer: TextAnswer) =>
    mode.how === 'drafts' ? asked.body : withBiases(asked, answer.biases(), mode.limit);

  const make = async (asked: OpenAiRequest, answer: TextAnswer, signal: AbortSignal) => {
    if (mode.how !== 'drafts' || !isDrafted(answer)) {
      return ask(asked.route, biased(asked, answer), signal);
    }
    if (asked.prompts > 1) throw invalid('prompt: holds several prompts; send one in each request');
    const count = asked.n * mode.drafts;
    if (count > mostDrafts) throw invalid(`n: is ${asked.n}; ask for fewer answers at once`);
    onDrafts?.(count);
    const drafts = await drafter(asked, count, signal);
    return chooseReply(drafts, mode.drafts, answer, marking.tokenizer!);
  };

  const record: OpenAiAnswering['record'] = (asked, answer, { texts, model }) =>
    answer.record({
      request: asked.canonical,
      texts,
      how: mode.how,
      ...(mode.how === 'drafts' && { drafts: mode.drafts }),
      ...(model !== undefined && { modelVersion: model }),
    });

  const recordReply = (asked: OpenAiRequest, answer: TextAnswer, { choices, model }: Reply) =>
    record(asked, answer, { texts: choices.map(({ text }) => text), model });

  return {
    begin: ({ isGreedy }, { tenant, marked }) =>
      marking.begin(tenant, { marked: marked && !(mode.how === 'drafts' && isGreedy) }),
    needsWhole: isDrafted,
    record,
    async whole(asked, answer, { tenant, signal }) {
      const reply = await make(asked, answer, signal);
      try {
        await recordReply(asked, answer, reply);
        return reply;
      } catch (cause) {
        const { watermark } = answer;
        if (watermark === undefined || marking.policy.ifLogFails === 'fail-closed') throw cause;
      }
      const plain = marking.begin(tenant, { marked: false });
      const again = await make(asked, plain, signal);
      await recordReply(asked, plain, again);
      return again;
    },
    async stream(asked, answer, signal) {
      const path = basePath + routePaths[asked.route];
      const body = JSON.stringify(biased(asked, answer));
      const sent = await upstream.stream({ method: 'POST', path, body, signal });
      if (sent.status < 200 || sent.status >= 300) {
        requireServed({ ...sent, body: await beginningOf(sent.body) });
      }
      if (/^text\/event-stream\b/i.test(sent.contentType)) return sent.body;
      throw unusable('is no stream');
    },
  };
}

/**
 * Returns when the status is a success. Some servers quote a request that they refuse, biases included
 * (vLLM when a field lacks): such words are kept from the client.
 *
 * @throws as `requireSuccess`
 */
function requireServed(reply: ForwardedReply): void {
  try {
    requireSuccess(reply);
  } catch (error) {
    if (!(error instanceof RequestError) || !quotesBiases.test(error.message)) throw error;
    throw new RequestError(error.status, 'the model refused the request', error.retryAfterSeconds);
  }
}

async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    pieces.push(piece);
    length += piece.length;
    if (length >= longestRefusal) break;
  }
  return Buffer.concat(pieces);
}
