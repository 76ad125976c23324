import fastify from 'fastify';
import type { Readiness } from './front.ts';
import { addHealthRoutes } from './health.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * Returns a server for those who run the gateway, apart from its customers: `/metrics` for Prometheus,
 * and health. It needs no token, so it belongs on an address that customers do not reach.
 */
export function createAdmin(service: Readiness, { registry }: Telemetry) {
  const server = fastify({ logger: false, forceCloseConnections: true });
  addHealthRoutes(server, service);
  server.get('/metrics', async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return {
    listen: (at: { readonly host: string; readonly port: number }): Promise<string> =>
      server.listen(at),
    close: (): Promise<void> => server.close(),
  };
}
