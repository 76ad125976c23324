import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preSerializationAsyncHookHandler,
} from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { TouchmarkError } from '../../errors.ts';
import {
  createReplyMarker,
  isSuccess,
  type ReplyMarker,
  type ReplyOptions,
  unusableReply,
} from './reply-marker.ts';
import type { Touchmark } from './touchmark.ts';

export type FastifyTouchmarkOptions = ReplyOptions<FastifyRequest> & {
  readonly touchmark: Touchmark<FastifyRequest>;
  /** The routes to mark, as they are written with their prefixes; all others stay as they are. */
  readonly routes: readonly string[];
};

/**
 * Marks what routes of a Fastify application answer, and records it before it is sent. Register it
 * before the routes and before plugins that compress. Only replies with a status of 2xx are marked.
 *
 * Who asks is found after all other preHandlers, so that `tenantOf` can use what they learnt. A failure
 * goes to the application's error handler, with a `statusCode` and a message for the client.
 *
 * @example
 * await app.register(fastifyTouchmark, { touchmark, routes: ['/classify'] });
 *
 * @throws TouchmarkError CONFIG_INVALID where no watermark is sealed for a classifier, and from
 *   `app.ready()` for a route that is not there
 */
export const fastifyTouchmark = fastifyPlugin(addMarking, { name: 'touchmark', fastify: '5.x' });

async function addMarking(app: FastifyInstance, options: FastifyTouchmarkOptions): Promise<void> {
  const { touchmark, routes } = options;
  const marker = createReplyMarker(touchmark, options, ({ body }) => body);
  const hooks = hooksOf(marker);
  const missing = new Set(routes);
  app.addHook('onRoute', (route) => {
    if (!routes.includes(route.url)) return;
    missing.delete(route.url);
    route.preHandler = [...listOf(route.preHandler), hooks.preHandler];
    route.preSerialization = [...listOf(route.preSerialization), hooks.preSerialization];
    route.onSend = [hooks.onSend, ...listOf(route.onSend)];
  });
  app.addHook('onReady', async () => {
    const [route] = missing;
    if (route === undefined) return;
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `No route ${route} came after the plugin touchmark.`,
      {
        hint: 'Await its registration before the routes are added, and name them with their prefixes.',
      },
    );
  });
}

function hooksOf(marker: ReplyMarker<FastifyRequest>) {
  const tenants = new WeakMap<FastifyRequest, string>();
  /** Runs one step, and throws what may be told of its failure. */
  const explained = async <Result>(step: () => Promise<Result>): Promise<Result> => {
    try {
      return await step();
    } catch (cause) {
      const { status, message } = marker.refusal(cause);
      throw Object.assign(new Error(message, { cause }), { statusCode: status });
    }
  };
  /** The tenant whose reply is still to be marked. */
  const takeTenant = (request: FastifyRequest, reply: FastifyReply): string | undefined => {
    if (!isSuccess(reply.statusCode)) return undefined;
    const tenant = tenants.get(request);
    tenants.delete(request);
    if (tenant !== undefined) reply.removeHeader('content-length');
    return tenant;
  };
  const preSerialization: preSerializationAsyncHookHandler<unknown> = async (
    request,
    reply,
    payload,
  ) => {
    const tenant = takeTenant(request, reply);
    if (tenant === undefined) return payload;
    return explained(() => marker.mark(tenant, request, payload));
  };
  return {
    async preHandler(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const tenant = await explained(() => marker.admit(request)).catch((error: unknown) => {
        reply.header('www-authenticate', 'Bearer');
        throw error;
      });
      tenants.set(request, tenant);
    },
    preSerialization,
    async onSend(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
      const tenant = takeTenant(request, reply);
      const isEmpty = payload === undefined || payload === null || payload === '';
      if (tenant === undefined || isEmpty) return payload;
      return explained(async () => {
        if (typeof payload === 'string' || Buffer.isBuffer(payload)) {
          return marker.markText(tenant, request, payload.toString());
        }
        throw unusableReply('is a stream', 'Answer marked routes with one JSON document.');
      });
    },
  };
}

function listOf<Hook>(hooks: Hook | Hook[] | undefined): Hook[] {
  if (hooks === undefined) return [];
  return Array.isArray(hooks) ? hooks : [hooks];
}
