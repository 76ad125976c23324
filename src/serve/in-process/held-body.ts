import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { isSuccess } from './reply-marker.ts';

/** What is sent in the place of a body. */
export interface NewBody {
  readonly text: string;
  /** Another status, with which the text is JSON. */
  readonly status?: number;
}

type Done = (error?: Error | null) => void;

/**
 * Holds back what is written to a response until it ends, and then sends what `replace` makes of it.
 * Responses whose status is not 2xx, and those without a body, go as they come.
 */
export function holdBody(
  response: ServerResponse,
  replace: (body: string) => Promise<NewBody>,
): void {
  const { write, end, writeHead, flushHeaders } = response;
  const chunks: Buffer[] = [];
  const holds = () => isSuccess(response.statusCode);
  const hold = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === 'string') {
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? toEncoding(encoding) : 'utf8'));
    } else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  const release = () => Object.assign(response, { write, end, writeHead, flushHeaders });

  Object.assign(response, {
    writeHead(status: number, ...rest: readonly unknown[]): ServerResponse {
      response.statusCode = status;
      const [message] = rest;
      if (typeof message === 'string') response.statusMessage = message;
      const headers = rest.find((each) => typeof each === 'object' && each !== null);
      setHeaders(response, headers as HeaderArgument | undefined);
      return response;
    },
    flushHeaders(): void {
      if (!holds()) release().flushHeaders();
    },
    write(chunk: unknown, encoding?: BufferEncoding | Done, done?: Done): boolean {
      if (!holds()) return Reflect.apply(write, response, [chunk, encoding, done]);
      hold(chunk, encoding);
      const written = typeof encoding === 'function' ? encoding : done;
      if (written) process.nextTick(written);
      return true;
    },
    end(...args: readonly unknown[]): ServerResponse {
      const callback = args.find((each): each is () => void => typeof each === 'function');
      const held = holds();
      if (held) hold(args[0], args[1]);
      release();
      if (!held || chunks.length === 0) return Reflect.apply(end, response, args);
      void replace(Buffer.concat(chunks).toString()).then(({ text, status }) => {
        // Something else, such as a timeout, has answered meanwhile.
        if (response.headersSent) return;
        if (status !== undefined) {
          for (const name of response.getHeaderNames()) {
            if (name.startsWith('content-')) response.removeHeader(name);
          }
          response.statusCode = status;
          response.statusMessage = '';
          response.setHeader('content-type', 'application/json');
        }
        response.removeHeader('etag');
        response.setHeader('content-length', Buffer.byteLength(text));
        response.end(text, callback);
      });
      return response;
    },
  });
}

type HeaderArgument = OutgoingHttpHeaders | readonly OutgoingHttpHeader[];

/** Headers as `writeHead` takes them: an object, or names and values in turns. */
function setHeaders(response: ServerResponse, headers: HeaderArgument | undefined): void {
  if (headers === undefined) return;
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const flat = Array.isArray(pairs[0]) ? pairs.flat(1) : pairs;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    if (flat[at + 1] !== undefined) response.setHeader(String(flat[at]), flat[at + 1]);
  }
}

function toEncoding(name: string): BufferEncoding {
  return Buffer.isEncoding(name) ? name : 'utf8';
}
