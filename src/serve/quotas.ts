import type { FastifyInstance } from 'fastify';
import { RequestError } from './failures.ts';

/** Says whether a tenant may ask, and get so many answers, now. */
export interface Quotas {
  take(
    tenant: string,
    answers: number,
  ): { readonly allowed: true } | { readonly allowed: false; readonly retryAfterSeconds: number };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Counts answers that the request asks for. @throws RequestError 429 beyond the quota */
    charge(answers: number): void;
  }
}

/** Counts requests as they come, and answers as routes read how many are asked for. */
export function admit(scope: FastifyInstance, quotas: Quotas): void {
  scope.addHook('onRequest', (request, _, done) => {
    request.charge = (answers) => {
      const refused = refusal(quotas, request.tenant, answers);
      if (refused) throw refused;
    };
    done(refusal(quotas, request.tenant, 0));
  });
}

function refusal(quotas: Quotas, tenant: string, answers: number): RequestError | undefined {
  const taken = quotas.take(tenant, answers);
  if (taken.allowed) return undefined;
  const seconds = Math.max(1, Math.ceil(taken.retryAfterSeconds));
  return new RequestError(429, `the quota is used up; try again in ${seconds} s`, seconds);
}
