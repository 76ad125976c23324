import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { withinDeadline } from '../../deadline.ts';
import { RequestError } from '../../failures.ts';
import type { Front } from '../../front.ts';
import type { Limits } from '../../limits.ts';
import type { TextMarking } from '../../text-marking.ts';
import { literal } from '../pass-through.ts';
import type { UpstreamConnection } from '../upstream-connection.ts';
import { createAnswering, type OpenAiAnswering } from './answering.ts';
import { openAiError } from './errors.ts';
import { type OpenAiMode, requireModeFits } from './mode.ts';
import { addModelRoutes } from './models.ts';
import { relayStream } from './relay.ts';
import { wordReply } from './reply.ts';
import { type OpenAiRequest, readRequest, routePaths } from './request.ts';
import { wordAsStream } from './whole-stream.ts';

export interface OpenAiProxyOptions {
  readonly upstream: UpstreamConnection;
  /** What stands before the routes here and at the upstream, such as `/v1`. */
  readonly basePath: string;
  /** Models that may be asked for, those whose token ids are the profile's; all without it. */
  readonly models?: readonly string[];
  readonly marking: TextMarking;
  readonly mode: OpenAiMode;
  /** Hears how many drafts were asked for, each time that answers were chosen among them. */
  readonly onDrafts?: (drafts: number) => void;
}

/**
 * Stands before an OpenAI-compatible server: clients go on speaking to their model, and what it says is
 * marked by biases, token by token, or by a choice among drafts. See decision 0025.
 *
 * Requests are written anew from what was read of them, fields that are not known here included; those
 * that would undo or show the mark are refused. Other routes of the upstream are closed: they would give
 * answers without a mark.
 *
 * @throws TouchmarkError CONFIG_INVALID when the profile cannot be carried in this way
 */
export function openAiProxy(options: OpenAiProxyOptions): Front {
  const { basePath } = options;
  requireModeFits(options.mode, options.marking);
  const answering = createAnswering(options);
  return {
    asks: `POST ${basePath}${routePaths.chat} or ${basePath}${routePaths.completions}`,
    add: (scope, limits) => addRoutes(scope, options, answering, limits),
  };
}

function addRoutes(
  scope: FastifyInstance,
  { upstream, basePath, models }: OpenAiProxyOptions,
  answering: OpenAiAnswering,
  limits: Limits,
): void {
  const config = { errorBody: openAiError };
  const streams = new Set<Readable>();
  scope.addHook('onClose', async () => {
    await Promise.all(Array.from(streams, (each) => once(each, 'close')));
  });
  for (const route of ['chat', 'completions'] as const) {
    scope.post(
      literal(basePath + routePaths[route]),
      { config },
      async (request: FastifyRequest, reply: FastifyReply) => {
        const { body, marked } = request;
        const asked = readRequest(route, body, { models, marked });
        request.charge(asked.prompts * asked.n);
        return answer(answering, { asked, request, reply, limits, streams });
      },
    );
  }
  addModelRoutes(scope, { upstream, basePath, models, config });
  scope.all(literal(`${basePath}/*`), { config }, async ({ method }) => {
    const routes = Object.values(routePaths).map((path) => `POST ${basePath}${path}`);
    throw new RequestError(404, `no such ${method}; use ${routes.join(' or ')}`);
  });
}

interface Exchange {
  readonly asked: OpenAiRequest;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly limits: Limits;
  /** Those under way; each is recorded before it closes. */
  readonly streams: Set<Readable>;
}

async function answer(answering: OpenAiAnswering, exchange: Exchange): Promise<unknown> {
  const { asked, request, reply, limits } = exchange;
  const { tenant, marked } = request;
  const answer = answering.begin(asked, { tenant, marked });
  if (asked.stream && !answering.needsWhole(answer)) return stream(answering, answer, exchange);
  const whole = await withinDeadline(reply, limits.answerMilliseconds, (signal) =>
    answering.whole(asked, answer, { tenant, signal }),
  );
  if (!asked.stream) return wordReply(whole);
  return sendAsStream(reply, wordAsStream(whole, asked));
}

/** Lets go at once what is whole; nothing of it was sent before it was recorded. */
function sendAsStream(reply: FastifyReply, events: string | Readable): FastifyReply {
  return reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache')
    .header('x-accel-buffering', 'no')
    .send(events);
}

async function stream(
  answering: OpenAiAnswering,
  answer: ReturnType<OpenAiAnswering['begin']>,
  { asked, request, reply, limits, streams }: Exchange,
): Promise<FastifyReply> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort(new RequestError(499, 'the client went away')));
  const body = await withinDeadline(reply, limits.answerMilliseconds, (deadline) =>
    answering.stream(asked, answer, AbortSignal.any([deadline, gone.signal])),
  );
  const relayed = relayStream({
    body,
    choices: asked.prompts * asked.n,
    gone: gone.signal,
    record: (served) => answering.record(asked, answer, served),
    report: (error) => request.report(error),
  });
  const events = Readable.from(relayed);
  streams.add(events);
  events.once('close', () => streams.delete(events));
  return sendAsStream(reply, events);
}
