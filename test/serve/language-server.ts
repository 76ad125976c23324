import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { TokenCandidates, Tokenizer } from '../../src/contracts.ts';
import type { NextTokenModel } from '../../src/models/language/next-token-model.ts';
import { TokenSampler } from '../../src/models/language/sampling.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

/** A request as the server takes it; what it does not know it ignores, as most servers do. */
const parameters = z.object({
  prompt: z.union([z.string(), z.array(z.int())]).optional(),
  messages: z.array(z.object({ content: z.string() })).optional(),
  max_tokens: z.int().min(1).default(16),
  temperature: z.number().min(0).nullish(),
  top_k: z.int().min(0).default(0),
  n: z.int().min(1).nullish(),
  seed: z.int().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean() }).nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
  return_token_ids: z.boolean().optional(),
});
type Parameters = z.infer<typeof parameters>;

export interface LanguageServerOptions {
  readonly model: NextTokenModel;
  readonly tokenizer: Tokenizer;
  /** False answers once whatever `n` is. */
  readonly takesSeveral?: boolean;
  /** Between two tokens of a stream. */
  readonly tokenMilliseconds?: number;
}

export interface LanguageServer {
  readonly origin: string;
  readonly received: { readonly headers: IncomingMessage['headers']; readonly body: Parameters }[];
  /** Streams whose client went away before their end. */
  readonly abandoned: () => number;
  close(): Promise<void>;
}

/**
 * An OpenAI-compatible server on 127.0.0.1 around a model of this process: chat and completions, whole
 * and streamed, with real sampling under `logit_bias`, `temperature`, `top_k`, `n` and `seed`. Nothing
 * ends a text but `max_tokens`.
 */
export async function startLanguageServer(options: LanguageServerOptions): Promise<LanguageServer> {
  const received: LanguageServer['received'] = [];
  let abandoned = 0;
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      send(response, 200, { object: 'list', data: [{ id: 'ngram', object: 'model', root: '/x' }] });
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const parsed = parameters.safeParse(JSON.parse(Buffer.concat(pieces).toString()));
    if (!parsed.success) {
      send(response, 400, { error: { message: z.prettifyError(parsed.error) } });
      return;
    }
    received.push({ headers: request.headers, body: parsed.data });
    response.once('close', () => {
      if (!response.writableFinished) abandoned += 1;
    });
    await answer(options, request.url === '/v1/chat/completions', parsed.data, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    abandoned: () => abandoned,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  { model, tokenizer, takesSeveral = true, tokenMilliseconds = 0 }: LanguageServerOptions,
  chat: boolean,
  asked: Parameters,
  response: ServerResponse,
): Promise<void> {
  const { prompt = '', messages, max_tokens: length, stream, stream_options, n, seed } = asked;
  const text = messages?.map(({ content }) => content).join('\n') ?? prompt;
  const context = typeof text === 'string' ? tokenizer.encode(text) : text;
  const count = takesSeveral ? (n ?? 1) : 1;
  const drawers = Array.from({ length: count }, (_, index) =>
    drawer(model, asked, context, `${seed ?? randomUUID()}/${index}/${context.join()}`),
  );
  const tokens: number[][] = drawers.map(() => []);
  const usage = {
    prompt_tokens: context.length,
    completion_tokens: count * length,
    total_tokens: context.length + count * length,
  };
  const about = { id: 'x-1', created: 1, model: 'ngram', generation_settings: asked.logit_bias };
  if (!stream) {
    for (let at = 0; at < length; at++)
      for (const [k, draw] of drawers.entries()) tokens[k]!.push(draw());
    const choices = tokens.map((ids, index) => {
      const said = tokenizer.decode(ids);
      const told = chat ? { message: { role: 'assistant', content: said } } : { text: said };
      const ended = { finish_reason: 'length', logprobs: null };
      return { index, ...told, ...ended, ...(asked.return_token_ids && { token_ids: ids }) };
    });
    const object = chat ? 'chat.completion' : 'text_completion';
    send(response, 200, { ...about, object, choices, usage });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const object = chat ? 'chat.completion.chunk' : 'text_completion';
  const event = (choices: object[], more = {}) =>
    response.write(`data: ${JSON.stringify({ ...about, object, choices, ...more })}\n\n`);
  for (let at = 0; at < length && !response.destroyed; at++) {
    if (tokenMilliseconds > 0) await pause(tokenMilliseconds);
    for (const [index, draw] of drawers.entries()) {
      const said = tokenizer.decode([draw()]);
      const told = chat ? { delta: { content: said } } : { text: said };
      event([{ index, ...told, finish_reason: chat || at < length - 1 ? null : 'length' }]);
    }
  }
  if (chat)
    for (const index of drawers.keys()) event([{ index, delta: {}, finish_reason: 'length' }]);
  if (stream_options?.include_usage) event([], { usage });
  response.end('data: [DONE]\n\n');
}

/** Returns what draws one token after another. */
function drawer(
  model: NextTokenModel,
  { temperature, top_k, logit_bias, max_tokens }: Parameters,
  context: readonly number[],
  seed: string,
): () => number {
  const heat = temperature ?? 1;
  const bias = new Map(Object.entries(logit_bias ?? {}).map(([id, by]) => [Number(id), by]));
  const sampler = new TokenSampler(model, {
    maxTokens: max_tokens,
    temperature: heat,
    ...(top_k > 0 && { topK: top_k }),
  });
  const markCandidates = ({ tokens, logits }: TokenCandidates) => {
    for (const [place, token] of tokens.entries()) {
      logits[place]! += (bias.get(token) ?? 0) / heat;
    }
  };
  const marker = bias.size > 0 ? { mark: () => undefined, markCandidates } : undefined;
  const random = seededRandom(seed);
  const sequence = new Int32Array(context.length + max_tokens);
  sequence.set(context);
  let at = context.length;
  return () => {
    sequence[at] = sampler.draw(sequence.subarray(0, at), random, marker);
    at += 1;
    return sequence[at - 1]!;
  };
}

function send(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(document));
}
