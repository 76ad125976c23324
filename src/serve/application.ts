import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { excerpt } from '../models/adapters/excerpt.ts';
import { type ClientError, clientError, RequestError } from './failures.ts';
import type { Front, Readiness } from './front.ts';
import { parseBody } from './fronts/documents.ts';
import { addHealthRoutes } from './health.ts';
import type { Limits } from './limits.ts';
import { admit, type Quotas } from './quotas.ts';
import { observe, type Telemetry } from './telemetry.ts';
import { authenticateBy } from './tenants/admission.ts';
import type { Authenticator } from './tenants/authenticator.ts';
import { UnderWay } from './under-way.ts';

/** Routes that serve the model's own answers, without a mark, to a few tenants. */
export interface UnmarkedRoutes {
  /** What stands before the paths of all fronts, such as `/safety`. */
  readonly prefix: string;
  readonly tenants: readonly string[];
}

export interface ApplicationOptions {
  readonly service: Readiness;
  readonly fronts: readonly Front[];
  /** Finds who asks. */
  readonly authenticator: Authenticator;
  readonly quotas?: Quotas;
  readonly unmarked?: readonly UnmarkedRoutes[];
  readonly limits: Limits;
  readonly telemetry?: Telemetry;
  /** Hears of failures on this side of the wire, whose cause clients are not told. */
  readonly onFailure?: (error: unknown) => void;
  readonly isClosing: () => boolean;
}

const encoded = new RequestError(415, 'the body is encoded; send it without content-encoding');

/** The routes of a gateway, without a server of their own. */
export interface Application {
  ready(): Promise<void>;
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves when every request that was handed over is answered. */
  drain(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; the empty string before and without authentication. */
    tenant: string;
    /** False where the route serves answers without a mark. */
    marked: boolean;
    /** Tells the operator of a failure after the answer has begun. */
    report(error: unknown): void;
  }
  interface FastifyContextConfig {
    /** Words a failure as the route's protocol has it; `{"error": text}` without it. */
    errorBody?: (error: ClientError) => object;
  }
}

/** Returns the routes of a gateway: health for everybody, all fronts for known tenants. */
export function buildApplication(options: ApplicationOptions): Application {
  const { service, fronts, authenticator, quotas, unmarked = [], limits } = options;
  const app = createInstance(options);
  addHealthRoutes(app, service);
  app.register(async (scope) => {
    scope.addHook('onRequest', authenticateBy(authenticator));
    if (quotas) admit(scope, quotas);
    for (const front of fronts) front.add(scope, limits);
    for (const { prefix, tenants: allowed } of unmarked) {
      const members = new Set(allowed);
      scope.register(
        async (inner) => {
          inner.addHook('onRequest', async (request) => {
            if (!members.has(request.tenant)) throw noRoute(request, fronts);
            request.marked = false;
          });
          for (const front of fronts) front.add(inner, limits);
        },
        { prefix },
      );
    }
    scope.setNotFoundHandler(async (request) => {
      throw noRoute(request, fronts);
    });
  });
  const underWay = new UnderWay();
  return {
    ready: async () => void (await app.ready()),
    handle(request, response) {
      const atOnce = underWay.add(request, response);
      if (atOnce > limits.maxPipelined) refusePiled(response);
      else app.routing(request, response);
    },
    async drain() {
      await underWay.ended();
      await app.close();
    },
  };
}

function refusePiled(response: ServerResponse): void {
  response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(JSON.stringify({ error: 'too many requests at once on one connection' }));
}

function createInstance(options: ApplicationOptions): FastifyInstance {
  const { limits, telemetry, onFailure, isClosing } = options;
  const explain = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const told = clientError(error);
    const { status, message, ours, retryAfterSeconds } = told;
    if (ours) onFailure?.(error);
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    const { errorBody } = request.routeOptions.config;
    reply.code(status).send(errorBody?.(told) ?? { error: message });
  };
  const app = fastify({
    logger: false,
    frameworkErrors: explain,
    bodyLimit: limits.maxBodyBytes,
  });
  app.decorateRequest('tenant', '');
  app.decorateRequest('marked', true);
  app.decorateRequest('charge', () => undefined);
  app.decorateRequest('report', (error: unknown) => onFailure?.(error));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async ({ headers }: FastifyRequest, body: Buffer) => {
      if (!/^(identity)?$/i.test(headers['content-encoding'] ?? '')) throw encoded;
      return parseBody(body);
    },
  );
  app.setErrorHandler(explain);
  app.addHook('onSend', ({ headers }, reply, payload, done) => {
    // What follows an upgrade that was not taken would not be read.
    if (isClosing() || headers.upgrade !== undefined) reply.header('connection', 'close');
    done(null, payload);
  });
  if (telemetry) observe(app, telemetry);
  return app;
}

function noRoute({ method, url }: FastifyRequest, fronts: readonly Front[]): RequestError {
  const route = excerpt(`${method} ${url.replace(/\?.*$/s, '')}`);
  const known = fronts.map(({ asks }) => asks).join(' or ');
  return new RequestError(404, `no route ${route}; use ${known}`);
}
