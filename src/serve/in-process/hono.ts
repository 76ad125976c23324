import { createReplyMarker, isSuccess, type ReplyOptions } from './reply-marker.ts';
import type { Touchmark } from './touchmark.ts';

/** What is used of a context of Hono, which this package does not import. */
export interface HonoContext {
  readonly req: {
    json(): Promise<unknown>;
    header(name: string): string | undefined;
  };
  get res(): Response;
  set res(response: Response | undefined);
}

/** A middleware as `app.use` of Hono takes it. */
export type HonoMiddleware<Context> = (
  context: Context,
  next: () => Promise<void>,
) => Promise<Response | undefined>;

/**
 * Returns a middleware that marks what the routes under it answer, and records it before it is sent.
 * Only replies with a status of 2xx are marked. Add it inside those that compress, and read bodies with
 * `c.req`, not `c.req.raw`, so that it can read them too. Failures are answered as `{"error": "..."}`.
 *
 * @example
 * app.use('/classify', honoTouchmark(touchmark));
 *
 * @throws TouchmarkError CONFIG_INVALID where no watermark is sealed for a classifier
 */
export function honoTouchmark<Context extends HonoContext>(
  touchmark: Touchmark<Context>,
  options: ReplyOptions<Context> = {},
): HonoMiddleware<Context> {
  const marker = createReplyMarker(touchmark, options, ({ req }) => req.json());
  const refuse = (error: unknown): Response => {
    const { status, message } = marker.refusal(error);
    const headers = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    return Response.json({ error: message }, { status, headers });
  };
  const markedResponse = async (tenant: string, context: Context): Promise<Response> => {
    const { res } = context;
    try {
      const text = await marker.markText(tenant, context, await res.text());
      const headers = new Headers(res.headers);
      headers.delete('content-length');
      headers.delete('etag');
      return new Response(text, { status: res.status, headers });
    } catch (error) {
      return refuse(error);
    }
  };
  return async (context, next) => {
    let tenant: string;
    try {
      tenant = await marker.admit(context);
    } catch (error) {
      return refuse(error);
    }
    await next();
    const { status, body } = context.res;
    if (!isSuccess(status) || body === null) return undefined;
    const response = await markedResponse(tenant, context);
    // Setting a response adds the headers of the one before.
    context.res = undefined;
    context.res = response;
    return undefined;
  };
}
