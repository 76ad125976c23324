import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { RequestError } from '../failures.ts';
import type { Authenticator } from './authenticator.ts';

/** The same words whatever is wrong, so that nobody learns which part of a guess was right. */
export const unknownTenant = 'unknown tenant: send a valid Authorization: Bearer token';

/**
 * Returns the hook that lets only known tenants pass and notes who asks. It runs before the body is
 * read, and waits only where the authenticator does. A second header of one name is no credential.
 */
export function authenticateBy(authenticator: Authenticator) {
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { headers } = request;
    const finish = (tenant: string | undefined): void => {
      if (tenant === undefined) {
        reply.header('www-authenticate', 'Bearer');
        done(new RequestError(401, unknownTenant));
      } else {
        request.tenant = tenant;
        done();
      }
    };
    const apiKey = headers['x-api-key'] ?? headers['api-key'];
    const found = authenticator(
      headers.authorization,
      typeof apiKey === 'string' ? apiKey : undefined,
    );
    if (found instanceof Promise) found.then(finish, () => finish(undefined));
    else finish(found);
  };
}
