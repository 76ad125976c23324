import { setTimeout as pause } from 'node:timers/promises';
import pRetry from 'p-retry';
import { Agent, errors, request } from 'undici';
import { TouchmarkError } from '../../errors.ts';
import { display } from './address.ts';
import { excerpt } from './excerpt.ts';
import {
  explain,
  HttpFailure,
  retriable,
  statusOf,
  throttles,
  Unreadable,
  unconnected,
} from './failures.ts';
import { tooHeavy } from './json-weight.ts';
import { maskSecrets, secretsIn } from './secrets.ts';

/** In bytes. */
const longestError = 65_536;
/** No answer costs more; a sum of such lies would soon be no exact number. */
const mostTokens = 1e9;

export interface TransportOptions {
  /** Sent as `Authorization: Bearer`; never shown. */
  readonly bearer?: string;
  /** Sent with every request; their values are never shown. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Our certificate and its key, and whom to believe instead of the usual authorities; PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer };
  /** Limit on one attempt from connecting to the last byte; default 30 s. */
  readonly timeoutMilliseconds?: number;
  /** Limit on a response's body; default 8 MiB. Requests at once can take 20 times it in memory. */
  readonly responseLimitBytes?: number;
  /** Attempts after the first, 0 to 4; default 4. */
  readonly retries?: number;
  /** Delay before the first retry, doubled and jittered after; default 250 ms. */
  readonly retryDelayMilliseconds?: number;
  /** A longer `Retry-After` than this is not waited for: the request fails; default 60 s. */
  readonly retryAfterLimitMilliseconds?: number;
  /** Connections kept open to one host; default 4, or 16 behind a gate. */
  readonly connections?: number;
  /** With a gate, a server that throttles is asked again for as long as the gate allows. */
  readonly gate?: RequestGate;
}

/** What became of one attempt. */
export interface AttemptResult {
  /** HTTP status, or a word for why there was none. */
  readonly status: number | string;
  readonly succeeded: boolean;
  /** The server asks for fewer requests: 429, or 503 with a time to come back. */
  readonly throttled: boolean;
  readonly retryAfterMilliseconds: number;
  /** From sending to the last byte. */
  readonly milliseconds: number;
  /** Counts the attempts of one request from 1. */
  readonly attempt: number;
  /** What the answer says it has cost, in `usage.total_tokens`; a lie above 1e9 is left out. */
  readonly tokens?: number;
}

/** Says when requests may leave, and hears what became of them; shared by all that ask one host. */
export interface RequestGate {
  /** Resolves when one more attempt may be made; what it throws ends the request. */
  ready(signal: AbortSignal): Promise<void>;
  note(result: AttemptResult): void;
}

/** How much was asked over the wire. */
export interface TransportCounts {
  /** Attempts, the first ones and the repeated ones. */
  readonly requests: number;
  readonly retries: number;
}

/**
 * JSON over HTTP/1.1 to a host that may be slow, broken or hostile.
 *
 * Repeats a request only when no answer was seen: on a lost connection and on 408, 429, 502, 503
 * and 504 (RFC 9110 section 15). Follows no redirects and asks for no compression, so that neither
 * can lead it elsewhere or grow on arrival.
 */
export class Transport {
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;
  /** A server may echo the secrets it was sent; nothing behind this transport sees them. */
  readonly #mask: (text: string) => string;
  readonly #options: TransportOptions;
  readonly #counts = { requests: 0, retries: 0 };
  /** Whether anything may have been sent. */
  #asked = false;

  /** @throws USAGE when the bearer token cannot stand in a header. */
  constructor(options: TransportOptions = {}) {
    const { bearer, gate, responseLimitBytes = 8 * 2 ** 20 } = options;
    if (bearer !== undefined && !/^[\x21-\x7e]+$/.test(bearer)) {
      throw new TouchmarkError('USAGE', 'the bearer token is empty or holds spaces or line ends', {
        hint: 'check the file or environment variable it was read from',
      });
    }
    this.#options = options;
    this.#headers = {
      ...options.headers,
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    };
    const secrets = secretsIn([bearer ?? '', ...Object.values(options.headers ?? {})]);
    this.#mask = (text) => maskSecrets(text, secrets);
    this.#agent = new Agent({
      connections: options.connections ?? (gate ? 16 : 4),
      maxResponseSize: responseLimitBytes,
      ...(options.tls && { connect: options.tls }),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  get counts(): TransportCounts {
    return { ...this.#counts };
  }

  /** Returns the JSON document at an address. Errors as for `post`. */
  get(address: URL, signal: AbortSignal): Promise<unknown> {
    return this.#exchange(address, undefined, signal);
  }

  /**
   * Sends a JSON document and returns the JSON document that came back.
   *
   * @throws SUSPECT_REFUSED on 401 and 403; SUSPECT_UNREACHABLE when there was no connection, no
   * answer in time, no such path or a server error; SUSPECT_ANSWER_INVALID on anything else that is
   * no JSON. The signal's own reason is rethrown when it was aborted.
   */
  post(address: URL, document: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#exchange(address, JSON.stringify(document), signal);
  }

  /** Closes the connections; requests under way are cut off. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #exchange(address: URL, body: string | undefined, signal: AbortSignal): Promise<unknown> {
    const { retries = 4, retryDelayMilliseconds = 250, gate } = this.#options;
    let attempts = 0;
    let throttled = 0;
    try {
      return await pRetry(
        async () => {
          await gate?.ready(signal);
          attempts += 1;
          return this.#noted(address, body, attempts, signal);
        },
        {
          retries: gate ? Number.POSITIVE_INFINITY : Math.min(retries, 4),
          minTimeout: retryDelayMilliseconds,
          maxTimeout: Math.max(8_000, retryDelayMilliseconds),
          randomize: true,
          signal,
          shouldRetry: ({ error }) => {
            if (gate && throttles(error)) throttled += 1;
            const left = attempts - throttled <= Math.min(retries, 4);
            return left && this.#prepareRetry(error, signal);
          },
        },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (TouchmarkError.isInstance(error)) throw error;
      throw explain(error, display(address), attempts, this.#asked, {
        exhausted: this.#exhausted(error),
        resumable: gate !== undefined,
      });
    }
  }

  /** Says whether a server will take no request for longer than is waited for. */
  #exhausted(error: unknown): boolean {
    if (!(error instanceof HttpFailure)) return false;
    const { retryAfterLimitMilliseconds = 60_000 } = this.#options;
    return error.exhausted || error.retryAfterMilliseconds > retryAfterLimitMilliseconds;
  }

  async #prepareRetry(error: Error, signal: AbortSignal): Promise<boolean> {
    if (!retriable(error) || this.#exhausted(error)) return false;
    const wait = error instanceof HttpFailure ? error.retryAfterMilliseconds : 0;
    if (wait > 0 && !this.#options.gate) await pause(wait, undefined, { signal });
    this.#counts.retries += 1;
    return true;
  }

  async #noted(
    address: URL,
    body: string | undefined,
    attempt: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { gate } = this.#options;
    const begun = performance.now();
    const spent = () => ({ attempt, milliseconds: performance.now() - begun });
    try {
      const document = await this.#attempt(address, body, signal);
      const tokens = tokensOf(document);
      gate?.note({
        ...spent(),
        status: 200,
        succeeded: true,
        throttled: false,
        retryAfterMilliseconds: 0,
        ...(tokens !== undefined && { tokens }),
      });
      return document;
    } catch (error) {
      const retryAfterMilliseconds =
        error instanceof HttpFailure ? error.retryAfterMilliseconds : 0;
      if (!signal.aborted) {
        gate?.note({
          ...spent(),
          status: statusOf(error),
          succeeded: false,
          throttled: throttles(error) && !this.#exhausted(error),
          retryAfterMilliseconds,
        });
      }
      throw error;
    }
  }

  async #attempt(address: URL, body: string | undefined, signal: AbortSignal): Promise<unknown> {
    this.#counts.requests += 1;
    const deadline = new AbortController();
    const stop = () => deadline.abort(signal.reason);
    const { timeoutMilliseconds = 30_000 } = this.#options;
    const timer = setTimeout(
      () => deadline.abort(new Unreadable('timeout', `no answer within ${timeoutMilliseconds} ms`)),
      timeoutMilliseconds,
    );
    signal.addEventListener('abort', stop, { once: true });
    try {
      const response = await request(address, {
        dispatcher: this.#agent,
        signal: deadline.signal,
        headers: {
          ...this.#headers,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? { method: 'GET' } : { method: 'POST', body }),
      });
      this.#asked = true;
      const { body: received, statusCode } = response;
      const text = this.#mask(await readBody(received, statusCode));
      if (statusCode < 200 || statusCode > 299) {
        const { location } = response.headers;
        throw new HttpFailure(
          statusCode,
          { ...response.headers, location: this.#mask(String(location ?? '')) },
          text,
        );
      }
      return parseJson(text);
    } catch (error) {
      if (!unconnected(error)) this.#asked = true;
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }
}

async function readBody(
  body: AsyncIterable<Buffer> & { text(): Promise<string> },
  status: number,
): Promise<string> {
  if (status < 200 || status > 299) return readBeginning(body);
  try {
    return await body.text();
  } catch (error) {
    if (!(error instanceof errors.ResponseExceededMaxSizeError)) throw error;
    throw new Unreadable('too-large', `a body over the size limit (status ${status})`);
  }
}

/** Of what comes with an error little is read and less is shown. */
async function readBeginning(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > longestError) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  const why = tooHeavy(text);
  if (why !== undefined) throw new Unreadable('too-large', why);
  try {
    return JSON.parse(text);
  } catch {
    throw new Unreadable('not-json', text.trim() === '' ? 'an empty body' : excerpt(text));
  }
}

function tokensOf(document: unknown): number | undefined {
  if (typeof document !== 'object' || document === null || !('usage' in document)) return undefined;
  const { usage } = document;
  if (typeof usage !== 'object' || usage === null || !('total_tokens' in usage)) return undefined;
  const tokens = usage.total_tokens;
  if (typeof tokens !== 'number' || !Number.isSafeInteger(tokens)) return undefined;
  return tokens >= 0 && tokens <= mostTokens ? tokens : undefined;
}
