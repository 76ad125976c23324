import type { FastifyInstance } from 'fastify';
import { withinDeadline } from '../deadline.ts';
import { requireSuccess, type UpstreamConnection } from './upstream-connection.ts';

/** What describes a model is short. */
const descriptionMilliseconds = 10_000;

/** Adds routes that hand what a model server says of itself to whoever asks, as JSON. */
export function passThrough(
  scope: FastifyInstance,
  upstream: UpstreamConnection,
  paths: readonly string[],
): void {
  for (const path of paths) {
    scope.get(literal(path), async (_, reply) => {
      const answer = await withinDeadline(reply, descriptionMilliseconds, (signal) =>
        upstream.send({ method: 'GET', path, signal }),
      );
      requireSuccess(answer);
      return reply.type('application/json').send(answer.body);
    });
  }
}

/** Returns the route that is this path and no pattern. */
export function literal(path: string): string {
  return path.replaceAll(':', '::');
}
