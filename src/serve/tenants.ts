import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from './failures.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; the empty string before and without authentication. */
    tenant: string;
  }
}

/** Finds the tenant that a bearer token belongs to; undefined when it belongs to none. */
export type TenantLookup = (bearer: string) => string | undefined;

/**
 * Returns the hook that lets only known tenants pass and notes who asks.
 *
 * It runs before the body is read. Every failure gets the same words, whether the token is absent,
 * malformed or unknown.
 */
export function authenticate(tenants: TenantLookup) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const [, bearer] =
      /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    const tenant = bearer === undefined ? undefined : tenants(bearer);
    if (tenant === undefined) {
      reply.header('www-authenticate', 'Bearer');
      throw new RequestError(401, 'unknown tenant: send a valid Authorization: Bearer token');
    }
    request.tenant = tenant;
  };
}
