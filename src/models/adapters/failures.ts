import type { IncomingHttpHeaders } from 'node:http';
import { type ErrorCode, TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';

/** A response whose status says that the request did not succeed. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly retryAfterMilliseconds: number;
  readonly location: string;

  constructor(status: number, headers: IncomingHttpHeaders, body: string) {
    super(excerpt(body));
    this.name = 'HttpFailure';
    this.status = status;
    this.retryAfterMilliseconds = retryAfter(headers['retry-after']);
    this.location = excerpt(String(headers.location ?? '').replace(/[?#].*$/s, ''));
  }
}

/** A response that could not be read to a JSON document. */
export class Unreadable extends Error {
  readonly reason: 'timeout' | 'too-large' | 'not-json';

  constructor(reason: Unreadable['reason'], message: string) {
    super(message);
    this.name = 'Unreadable';
    this.reason = reason;
  }
}

const retriableStatuses = new Set([408, 429, 502, 503, 504]);
const connectionErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const unconnectedErrors = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Says whether the same request may be sent again: no answer was seen and one may come. */
export function retriable(error: unknown): boolean {
  if (error instanceof HttpFailure) return retriableStatuses.has(error.status);
  return connectionErrors.has(codeOf(error));
}

/** Says whether no connection came about, so that nothing can have been sent. */
export function unconnected(error: unknown): boolean {
  return unconnectedErrors.has(codeOf(error));
}

/**
 * Says whether a server answered that it does not offer what was asked for, or answered nothing that
 * can be read: any 4xx but 401 and 403, 501, or a body that is no JSON.
 *
 * @param error What `Transport.get` or `post` threw.
 */
export function notOffered(error: unknown): boolean {
  const cause = causeOf(error);
  if (cause instanceof Unreadable) return cause.reason !== 'timeout';
  if (!(cause instanceof HttpFailure)) return false;
  const { status } = cause;
  return status === 501 || (status >= 400 && status < 500 && status !== 401 && status !== 403);
}

/** Says whether what `Transport.get` or `post` threw is a server's plea to ask again later. */
export function busy(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof HttpFailure && retriableStatuses.has(cause.status);
}

/**
 * Returns the project's error for what went wrong at an address.
 *
 * @param asked False when nothing was ever sent there.
 */
export function explain(
  error: unknown,
  address: string,
  attempts: number,
  asked: boolean,
): TouchmarkError {
  const tries = attempts > 1 ? ` (${attempts} attempts)` : '';
  const { code, message, hint } = describe(error);
  const said = `the model at ${address} ${message}${tries}`;
  if (asked) return new TouchmarkError(code, said, { hint, cause: error });
  return new TouchmarkError(code, `${said}; nothing was asked yet`, {
    hint: 'check that the address is right and that the server runs',
    cause: error,
  });
}

interface Explanation {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

function describe(error: unknown): Explanation {
  if (error instanceof HttpFailure) return describeStatus(error);
  if (error instanceof Unreadable) return describeUnreadable(error);
  const cause = codeOf(error) || (error instanceof Error ? error.message : String(error));
  return {
    code: 'SUSPECT_UNREACHABLE',
    message: `cannot be reached: ${excerpt(cause)}`,
    hint: 'check that the address is right and that the server runs, then run again to resume',
  };
}

function describeUnreadable({ reason, message }: Unreadable): Explanation {
  switch (reason) {
    case 'timeout':
      return {
        code: 'SUSPECT_UNREACHABLE',
        message: `gave ${message}`,
        hint: 'raise the timeout or lower the batch size, then run again to resume',
      };
    case 'too-large':
      return {
        code: 'SUSPECT_ANSWER_INVALID',
        message: `answered with ${message}`,
        hint: 'lower the batch size, or raise the response limit',
      };
    case 'not-json':
      return {
        code: 'SUSPECT_ANSWER_INVALID',
        message: `answered with something that is no JSON: ${message}`,
        hint: 'check the path, and that no login page or proxy answers in its place',
      };
  }
}

function describeStatus(failure: HttpFailure): Explanation {
  const { status, location, retryAfterMilliseconds } = failure;
  const said = failure.message === '' ? '' : `: ${failure.message}`;
  if (status === 401 || status === 403) {
    return {
      code: 'SUSPECT_REFUSED',
      message: `refused the request with status ${status}${said}`,
      hint: 'give a valid bearer token by environment variable or file',
    };
  }
  if (status >= 300 && status < 400) {
    return {
      code: 'SUSPECT_ANSWER_INVALID',
      message: `redirects with status ${status} to "${location}"`,
      hint: 'redirects are not followed: give the final address',
    };
  }
  if (status === 404 || status === 405) {
    return {
      code: 'SUSPECT_UNREACHABLE',
      message: `answered with status ${status}${said}`,
      hint: 'check the path and the name of the model',
    };
  }
  if (status >= 500 || retriableStatuses.has(status)) {
    const wait = retryAfterMilliseconds / 1_000;
    return {
      code: 'SUSPECT_UNREACHABLE',
      message: `answered with status ${status}${said}`,
      hint:
        wait > 0 ? `wait ${wait} s as it asks, then run again to resume` : 'run again to resume',
    };
  }
  return {
    code: 'SUSPECT_ANSWER_INVALID',
    message: `rejected the request with status ${status}${said}`,
    hint: 'check that it takes this protocol and this kind of input',
  };
}

/** RFC 9110 section 10.2.3: a number of seconds, or a date. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function causeOf(error: unknown): unknown {
  return TouchmarkError.isInstance(error) ? error.cause : undefined;
}
