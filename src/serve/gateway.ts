import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { TouchmarkError } from '../errors.ts';
import { excerpt } from '../models/adapters/excerpt.ts';
import type { Answering } from './answering.ts';
import { clientError, RequestError } from './failures.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { parseBody } from './routes/documents.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addOpenInferenceRoutes } from './routes/open-inference.ts';
import { addPlainJsonRoutes } from './routes/plain-json.ts';
import { authenticate, type TenantLookup } from './tenants.ts';

export interface GatewayOptions {
  readonly answering: Answering;
  readonly tenants: TenantLookup;
  readonly limits?: Partial<Limits>;
  /** Hears of failures on this side of the wire, whose cause clients are not told. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Gateway {
  /** Resolves with the address once connections are accepted. USAGE when that is not possible. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /** Accepts nothing new, lets requests under way finish, then cuts off what is left. */
  close(): Promise<void>;
  /** `http://host:port` while listening. */
  readonly address: string | undefined;
}

/**
 * Returns an HTTP server that puts a classifier behind the Open Inference Protocol v2 and a plain
 * JSON route, for tenants known by bearer token.
 *
 * Errors are `{"error": text}`: 400 to 415 name what is wrong with the request, 401 is one constant
 * text, and 5xx say nothing about the inside. See `Limits` for what bounds a request.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const limits = { ...defaultLimits, ...options.limits };
  const server = createServer(limits, options.onFailure);
  addHealthRoutes(server, options.answering);
  server.register(async (scope) => {
    const known = authenticate(options.tenants);
    scope.addHook('onRequest', known);
    addOpenInferenceRoutes(scope, options.answering, limits);
    addPlainJsonRoutes(scope, options.answering, limits);
    scope.setNotFoundHandler(async ({ method, url }) => {
      const route = excerpt(`${method} ${url.replace(/\?.*$/s, '')}`);
      throw new RequestError(
        404,
        `no route ${route}; use POST /classify or POST /v2/models/NAME/infer`,
      );
    });
  });
  return {
    listen: (at) => listen(server, at),
    close: () => close(server, limits.graceMilliseconds),
    get address() {
      return addressOf(server);
    },
  };
}

function createServer(limits: Limits, onFailure: GatewayOptions['onFailure']): FastifyInstance {
  const explain = (error: unknown, _: FastifyRequest, reply: FastifyReply): void => {
    const { status, message, ours } = clientError(error);
    if (ours) onFailure?.(error);
    reply.code(status).send({ error: message });
  };
  const server = fastify({
    logger: false,
    frameworkErrors: explain,
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.requestMilliseconds,
    connectionTimeout: limits.idleMilliseconds,
    forceCloseConnections: 'idle',
    http: {
      headersTimeout: limits.requestMilliseconds,
      connectionsCheckingInterval: Math.min(5_000, limits.requestMilliseconds),
    },
  });
  server.server.maxConnections = limits.maxConnections;
  server.decorateRequest('tenant', '');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (_: FastifyRequest, body: Buffer) => parseBody(body),
  );
  server.setErrorHandler(explain);
  let closing = false;
  server.addHook('preClose', async () => {
    closing = true;
  });
  server.addHook('onSend', async (_, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  return server;
}

async function listen(
  server: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new TouchmarkError('USAGE', `cannot listen on ${host} port ${port}: ${code}`, {
      hint: 'choose a free port and an address of this machine',
      cause: error,
    });
  }
  return addressOf(server)!;
}

async function close(server: FastifyInstance, graceMilliseconds: number): Promise<void> {
  const timer = setTimeout(() => server.server.closeAllConnections(), graceMilliseconds);
  try {
    await server.close();
  } finally {
    clearTimeout(timer);
  }
}

function addressOf(server: FastifyInstance): string | undefined {
  const bound: AddressInfo | string | null = server.server.address();
  if (bound === null || typeof bound === 'string') return undefined;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return `http://${host}:${bound.port}`;
}
