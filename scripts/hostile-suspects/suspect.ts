import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { labels, type Predict } from '../../test/operations/audit-scene.ts';

/** What an honest classifier would answer on the plain JSON route. */
export interface PlainReply {
  readonly labels: readonly string[];
  readonly probabilities: readonly (readonly number[])[];
}

/** One request, and what a hostile suspect may do with it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly texts: readonly string[];
  /** Counts the requests that met hostility from 0. */
  readonly number: number;
  /** The bearer token that came. */
  readonly bearer: string;
  /** Where nothing may ever arrive. */
  readonly trap: string;
  readonly honest: PlainReply;
}

export type Hostility = (exchange: Exchange) => void | Promise<void>;

/** A suspect over real HTTP that is honest for some requests, and hostile from then on. */
export interface HostileSuspect {
  readonly http: string;
  readonly kserve: string;
  /** Requests that reached the place redirects lead to. */
  readonly trapped: readonly string[];
  /** Answers honestly `patience` times and then as `hostility` says; always honest without one. */
  turn(hostility: Hostility | undefined, patience: number): void;
  close(): void;
}

/** Sends a value as JSON, or a text or bytes as they stand. */
export function say(
  { response }: Pick<Exchange, 'response'>,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  const asItStands = typeof value === 'string' || Buffer.isBuffer(value);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(asItStands ? value : JSON.stringify(value));
}

/** Writes bytes past the server's own HTTP, which would refuse to. */
export function raw({ response }: Exchange, bytes: string | Buffer, end = false): void {
  const { socket } = response;
  if (socket === null || socket.destroyed) return;
  if (end) socket.end(bytes);
  else socket.write(bytes);
}

/** Writes what a function makes for as long as anybody listens; slowly with a pause between. */
export async function pour(
  { response }: Exchange,
  piece: () => string | Buffer,
  pauseMilliseconds = 0,
): Promise<void> {
  const { socket } = response;
  if (socket === null) return;
  socket.on('error', () => undefined);
  while (!socket.destroyed) {
    const ready = socket.write(piece());
    if (pauseMilliseconds > 0) await setTimeout(pauseMilliseconds);
    else if (!ready) await setTimeout(5);
  }
}

/** Starts a suspect on loopback, and the place that its redirects lead to. */
export async function startHostileSuspect(predict: Predict): Promise<HostileSuspect> {
  let hostility: Hostility | undefined;
  let patience = 0;
  const trapped: string[] = [];
  const trapServer = createServer((request, response) => {
    trapped.push(`${request.url} ${JSON.stringify(request.headers)}`);
    response.end('{}');
  });
  const trap = await listen(trapServer);
  const server = createServer(async (request, response) => {
    response.on('error', () => undefined);
    const body = await text(request).catch(() => '');
    const texts = body === '' ? [] : textsOf(JSON.parse(body));
    const honest = {
      labels,
      probabilities: texts.map((each) => Array.from(predict(each))),
    };
    const kserve = request.url?.startsWith('/v2/') === true;
    patience -= 1;
    if (hostility === undefined || patience >= 0) {
      say({ response }, kserve ? kserveReply(request, honest) : honest);
      return;
    }
    const bearer = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const number = -1 - patience;
    await hostility({ request, response, texts, number, bearer, trap, honest });
  });
  server.on('clientError', (_, socket) => socket.destroy());
  const address = await listen(server);
  return {
    http: `http:${address}/classify`,
    kserve: `kserve:${address}/v2/models/m`,
    trapped,
    turn(next, honestRequests) {
      hostility = next;
      patience = honestRequests;
      server.closeAllConnections();
    },
    close() {
      for (const each of [server, trapServer]) {
        each.closeAllConnections();
        each.close();
      }
    },
  };
}

/** What an honest classifier would answer on the Open Inference route. */
export function kserveReply(
  { url }: Pick<IncomingMessage, 'url'>,
  { probabilities }: PlainReply,
): object {
  if (url?.endsWith('/infer') !== true) {
    return {
      name: 'm',
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
      outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, labels.length] }],
      parameters: { labels },
    };
  }
  const shape = [probabilities.length, labels.length];
  const data = probabilities.flat();
  return { outputs: [{ name: 'probabilities', datatype: 'FP32', shape, data }] };
}

function textsOf(document: { readonly inputs: readonly (string | { data: string[] })[] }) {
  return document.inputs.flatMap((each) => (typeof each === 'string' ? each : each.data));
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
