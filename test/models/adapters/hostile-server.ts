import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with one request: the next of its script, or the last one for ever. */
export type Behaviour = (response: ServerResponse, request: Received) => void;

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Milliseconds since the process began. */
  readonly at: number;
}

export interface HostileServer {
  readonly origin: string;
  readonly received: Received[];
  /** Replaces the script and forgets what was received. */
  play(...script: readonly Behaviour[]): void;
  close(): Promise<void>;
}

/** Sends a value as JSON, or a text as it stands. */
export function say(value: unknown, status = 200, headers: Record<string, string> = {}): Behaviour {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };
}

/** Sends headers and a part of the body, then breaks the connection. */
export const breakOff: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"answers": [', () => response.destroy());
};

/** Takes the request and never says a word. */
export const hang: Behaviour = () => {};

/** Sends one byte after another, each well within any idle timeout. */
export const drip: Behaviour = (response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(timer));
};

/** Never stops sending. */
export const flood: Behaviour = (response) => {
  response.writeHead(200);
  const chunk = Buffer.alloc(65_536, 0x20);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
};

/** A suspect that does what its script says, over real HTTP. */
export async function startHostileServer(): Promise<HostileServer> {
  let script: readonly Behaviour[] = [];
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const note: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      at: performance.now(),
    };
    received.push(note);
    const act = script[Math.min(received.length, script.length) - 1] ?? hang;
    act(response, note);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${bound.port}`,
    received,
    play(...next) {
      script = next;
      received.length = 0;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
