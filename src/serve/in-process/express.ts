import type { IncomingMessage, ServerResponse } from 'node:http';
import { holdBody } from './held-body.ts';
import { createReplyMarker, type ReplyOptions, unusableReply } from './reply-marker.ts';
import type { Touchmark } from './touchmark.ts';

/** A request whose JSON body was read before, as `express.json()` does. */
export interface ReadRequest extends IncomingMessage {
  body?: unknown;
}

/** A middleware as Express, Connect and others on node:http take it. */
export type ExpressMiddleware<Request> = (
  request: Request,
  response: ServerResponse,
  next: () => void,
) => Promise<void>;

/**
 * Returns a middleware that marks what the routes under it answer, and records it before it is sent.
 * Only replies with a status of 2xx are marked. Add it after `express.json()` and after those that
 * compress. Failures are answered as `{"error": "..."}`.
 *
 * @example
 * app.use('/classify', express.json(), expressTouchmark(touchmark));
 *
 * @throws TouchmarkError CONFIG_INVALID where no watermark is sealed for a classifier
 */
export function expressTouchmark<Request extends ReadRequest>(
  touchmark: Touchmark<Request>,
  options: ReplyOptions<Request> = {},
): ExpressMiddleware<Request> {
  const marker = createReplyMarker(touchmark, options, bodyOf);
  const refusal = (error: unknown) => {
    const { status, message } = marker.refusal(error);
    return { status, text: JSON.stringify({ error: message }) };
  };
  return async (request, response, next) => {
    let tenant: string;
    try {
      tenant = await marker.admit(request);
    } catch (error) {
      const { status, text } = refusal(error);
      if (status === 401) response.setHeader('www-authenticate', 'Bearer');
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      return;
    }
    holdBody(response, async (text) => {
      try {
        return { text: await marker.markText(tenant, request, text) };
      } catch (error) {
        return refusal(error);
      }
    });
    next();
  };
}

function bodyOf({ body }: ReadRequest): unknown {
  if (body !== undefined) return body;
  throw unusableReply(
    'came before the body of the request was read',
    'Put express.json(), or another parser that sets request.body, before the middleware.',
  );
}
