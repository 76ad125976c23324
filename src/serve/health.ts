import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Readiness } from './front.ts';

/** Adds the routes that an orchestrator asks, without a token, on both protocols' paths. */
export function addHealthRoutes(server: FastifyInstance, service: Readiness): void {
  const live = () => ({ live: true });
  const ready = (_: unknown, reply: FastifyReply) => sendReadiness(reply, service, {});
  for (const base of ['', '/v2']) {
    server.get(`${base}/health/live`, live);
    server.get(`${base}/health/ready`, ready);
  }
}

/** Answers 200 when the model is ready and 503 when it is not. */
export async function sendReadiness(
  reply: FastifyReply,
  service: Readiness,
  about: Readonly<Record<string, string>>,
): Promise<object> {
  const ready = await service.ready();
  reply.code(ready ? 200 : 503);
  return { ...about, ready };
}
