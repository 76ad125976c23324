/** What a user would put there without a watermark: Fastify's own proxy, in a process of its own. */
import type { AddressInfo } from 'node:net';
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const server = fastify();
await server.register(httpProxy, { upstream: process.argv[2]!, undici: { connections: 128 } });
await server.listen({ host: '127.0.0.1', port: 0 });
process.send?.((server.server.address() as AddressInfo).port);
process.once('disconnect', () => process.exit());
