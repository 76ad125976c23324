import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { TouchmarkError } from '../errors.ts';
import { type Application, type ApplicationOptions, buildApplication } from './application.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** What a gateway serves, and to whom; everything here can be replaced while it runs. */
export type GatewayOptions = Omit<ApplicationOptions, 'limits' | 'isClosing'> & {
  readonly limits?: Partial<Limits>;
};

export interface Gateway {
  /** Resolves with the address once connections are accepted. USAGE when that is not possible. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /**
   * Serves by other options from the next request on. Resolves when the last request that was under
   * way by the earlier ones is answered; what those stood on can be closed then.
   */
  replace(options: GatewayOptions): Promise<void>;
  /** Accepts nothing new, lets requests under way finish, then cuts off what is left. */
  close(): Promise<void>;
  /** `http://host:port` while listening. */
  readonly address: string | undefined;
}

/**
 * Returns an HTTP server that lets clients ask a protected model, for tenants known by a token.
 *
 * Errors are `{"error": text}`: 400 to 429 name what is wrong with the request, 401 is one constant
 * text, and 5xx say nothing about the inside. See `Limits` for what bounds a request; the limits on
 * connections are those of the first options.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const limits = { ...defaultLimits, ...options.limits };
  let closing = false;
  const build = (given: GatewayOptions): Application =>
    buildApplication({
      ...given,
      limits: { ...limits, ...given.limits },
      isClosing: () => closing,
    });
  let current = build(options);
  const server = createHttpServer(limits);
  server.on('request', (request, response) => current.handle(request, response));
  return {
    async listen(at) {
      await current.ready();
      return listen(server, at);
    },
    async replace(given) {
      const [next, earlier] = [build(given), current];
      await next.ready();
      current = next;
      await earlier.drain();
    },
    async close() {
      closing = true;
      await close(server, limits.graceMilliseconds);
      await current.drain();
    },
    get address() {
      return addressOf(server);
    },
  };
}

function createHttpServer(limits: Limits): Server {
  const server = createServer({
    requestTimeout: limits.requestMilliseconds,
    headersTimeout: limits.requestMilliseconds,
    connectionsCheckingInterval: Math.min(5_000, limits.requestMilliseconds),
    keepAliveTimeout: limits.idleMilliseconds,
    insecureHTTPParser: false,
  });
  server.timeout = limits.idleMilliseconds;
  server.maxConnections = limits.maxConnections;
  server.on('clientError', refuseMalformed);
  return server;
}

const malformed: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** What is not HTTP, or came too slowly, is answered once and cut off. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({ error: 'the request is no well-formed HTTP/1.1' });
  socket.end(
    `HTTP/1.1 ${malformed[error.code ?? ''] ?? '400 Bad Request'}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new TouchmarkError('USAGE', `cannot listen on ${host} port ${port}: ${code}`, {
      hint: 'choose a free port and an address of this machine',
      cause: error,
    });
  }
  return addressOf(server)!;
}

async function close(server: Server, graceMilliseconds: number): Promise<void> {
  if (!server.listening) return;
  const timer = setTimeout(() => server.closeAllConnections(), graceMilliseconds);
  try {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await closed;
  } finally {
    clearTimeout(timer);
  }
}

function addressOf(server: Server): string | undefined {
  const bound: AddressInfo | string | null = server.address();
  if (bound === null || typeof bound === 'string') return undefined;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return `http://${host}:${bound.port}`;
}
