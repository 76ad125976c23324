import { errors, Pool } from 'undici';
import { TouchmarkError } from '../../errors.ts';
import { excerpt } from '../../models/adapters/excerpt.ts';
import { RequestError } from '../failures.ts';

export interface UpstreamConnectionOptions {
  /** Sent as `Authorization: Bearer`, instead of what the client sent; never shown. */
  readonly bearer?: string;
  /** Connections at most; further requests wait for one. */
  readonly connections?: number;
  /** For the upstream to begin its answer, and between two pieces of it. */
  readonly timeoutMilliseconds?: number;
  /** Bytes of an answer that is read whole. */
  readonly answerLimitBytes?: number;
}

export interface ForwardedRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ForwardedReply {
  readonly status: number;
  readonly body: Buffer;
  /** When an upstream that is busy wants to be asked again, in seconds. */
  readonly retryAfterSeconds?: number;
}

/** An answer that comes in pieces. */
export interface StreamedReply {
  readonly status: number;
  readonly retryAfterSeconds?: number;
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** What no client is told of. */
const hidden = { hint: 'see whether the model server runs, and what it logs' };

/**
 * Connections to the server behind the gateway. Only what `ForwardedRequest` names goes there, no
 * header of a client; a connection that broke before an answer began is replaced once.
 */
export class UpstreamConnection {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #base: string;

  /** @param address with the path, if any, that stands before those of requests */
  constructor(address: URL, options: UpstreamConnectionOptions = {}) {
    const { bearer, connections = 128, timeoutMilliseconds = 60_000 } = options;
    const { answerLimitBytes = 64 * 2 ** 20 } = options;
    this.#pool = new Pool(address.origin, {
      connections,
      headersTimeout: timeoutMilliseconds,
      bodyTimeout: timeoutMilliseconds,
      maxResponseSize: answerLimitBytes,
    });
    this.#base = address.pathname.replace(/\/+$/, '');
    this.#headers = {
      'accept-encoding': 'identity',
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    };
  }

  /** Asks and reads the whole answer. @throws TouchmarkError UPSTREAM_FAILED, UPSTREAM_ANSWER_INVALID */
  async send(request: ForwardedRequest): Promise<ForwardedReply> {
    try {
      return await this.#sendOnce(request);
    } catch (cause) {
      if (request.signal.aborted || !brokeBeforeAnswer(cause)) {
        throw upstreamFailure(cause, request.signal);
      }
    }
    try {
      return await this.#sendOnce(request);
    } catch (cause) {
      throw upstreamFailure(cause, request.signal);
    }
  }

  /** Asks and returns the answer as it comes. @throws TouchmarkError UPSTREAM_FAILED */
  async stream(request: ForwardedRequest): Promise<StreamedReply> {
    try {
      const { statusCode, headers, body } = await this.#ask(request);
      const contentType = String(headers['content-type'] ?? '');
      return { status: statusCode, contentType, body, ...retryAfter(headers) };
    } catch (cause) {
      throw upstreamFailure(cause, request.signal);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** One attempt, without the streams that would be made for an answer in pieces. */
  #sendOnce(request: ForwardedRequest): Promise<ForwardedReply> {
    const { signal } = request;
    return new Promise((resolve, reject) => {
      let abort = (): void => reject(signal.reason);
      const stop = () => abort();
      if (signal.aborted) {
        stop();
        return;
      }
      signal.addEventListener('abort', stop, { once: true });
      let head: Omit<ForwardedReply, 'body'> | undefined;
      const chunks: Buffer[] = [];
      this.#pool.dispatch(this.#optionsOf(request), {
        onRequestStart(controller) {
          abort = () => controller.abort(new Error('aborted'));
        },
        onResponseStart(_, status, headers) {
          head = { status, ...retryAfter(headers) };
        },
        onResponseData(_, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          signal.removeEventListener('abort', stop);
          const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
          resolve({ status: 0, ...head, body });
        },
        onResponseError(_, error) {
          signal.removeEventListener('abort', stop);
          reject(head === undefined ? error : new InterruptedAnswer(error));
        },
      });
    });
  }

  async #ask(request: ForwardedRequest) {
    const options = { ...this.#optionsOf(request), signal: request.signal };
    try {
      return await this.#pool.request(options);
    } catch (cause) {
      if (request.signal.aborted || !brokeBeforeAnswer(cause)) throw cause;
      return await this.#pool.request(options);
    }
  }

  #optionsOf({ method, path, body, headers }: ForwardedRequest) {
    return {
      method,
      path: this.#base + path,
      headers:
        body === undefined
          ? { ...this.#headers, ...headers }
          : { ...this.#headers, ...headers, 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    };
  }
}

/** An answer that had begun: asking again could have the model answer twice. */
class InterruptedAnswer extends Error {
  constructor(cause: Error) {
    super('the answer broke off', { cause });
  }
}

/** Returns what work gives that is done while an answer is on its way, and the answer. */
export async function meanwhile<Result, Answer>(
  answer: Promise<Answer>,
  work: () => Result,
): Promise<readonly [Result, Answer]> {
  answer.catch(() => undefined);
  const result = work();
  return [result, await answer];
}

/** Dates are left out, as the upstream's clock may differ. */
function retryAfter(headers: Readonly<Record<string, unknown>>) {
  const text = String(headers['retry-after']);
  return /^\d{1,6}$/.test(text) ? { retryAfterSeconds: Number(text) } : {};
}

/** An upstream may close a connection that it kept open just as the next request is sent on it. */
function brokeBeforeAnswer(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** Returns the error for an answer that did not come; what the client caused stays what it is. */
export function upstreamFailure(cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const original = cause instanceof InterruptedAnswer ? cause.cause : cause;
  if (original instanceof errors.ResponseExceededMaxSizeError) {
    return new TouchmarkError('UPSTREAM_ANSWER_INVALID', "the upstream's answer is too long", {
      ...hidden,
      cause,
    });
  }
  const code =
    original instanceof Error && 'code' in original ? String(original.code) : 'unknown error';
  return new TouchmarkError('UPSTREAM_FAILED', `the upstream did not answer (${code})`, {
    ...hidden,
    cause,
  });
}

/**
 * Returns when the status is a success. What the upstream says against the request itself, with 400,
 * 404, 405, 413, 415, 422 or 429, the client is told; everything else stays behind the gateway.
 *
 * @throws RequestError with the client's fault; TouchmarkError UPSTREAM_FAILED
 */
export function requireSuccess({ status, body, retryAfterSeconds }: ForwardedReply): void {
  if (status >= 200 && status < 300) return;
  if ([400, 404, 405, 413, 415, 422, 429].includes(status)) {
    const message = `the model refused the request: ${saidIn(body)}`;
    throw new RequestError(status, message, retryAfterSeconds);
  }
  throw new TouchmarkError(
    'UPSTREAM_FAILED',
    `the upstream answered with status ${status}`,
    hidden,
  );
}

/** A server's own words, cut short: `{"error": text}` or `{"error": {"message": text}}`, else none. */
function saidIn(body: Buffer): string {
  try {
    const { error } = JSON.parse(body.toString('utf8'));
    const text = typeof error === 'string' ? error : error?.message;
    if (typeof text === 'string') return excerpt(text, 300);
  } catch {
    // not JSON: nothing to quote
  }
  return 'it does not say why';
}

/** Returns the JSON of an answer. @throws TouchmarkError UPSTREAM_ANSWER_INVALID */
export function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw unusable('is no JSON', cause);
  }
}

/** Returns the error for an answer that is not what its protocol or the model's labels ask for. */
export function unusable(reason: string, cause?: unknown): TouchmarkError {
  return new TouchmarkError('UPSTREAM_ANSWER_INVALID', `the upstream's answer ${reason}`, {
    hint: 'see what the model server answers to the same request without the gateway',
    cause,
  });
}
