import type { IncomingHttpHeaders } from 'node:http';
import { type ErrorCode, TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';

/** A response whose status says that the request did not succeed. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly retryAfterMilliseconds: number;
  readonly location: string;
  /** The account has no quota left: asking again soon would not help. */
  readonly exhausted: boolean;

  constructor(status: number, headers: IncomingHttpHeaders, body: string) {
    super(excerpt(body));
    this.name = 'HttpFailure';
    this.status = status;
    this.retryAfterMilliseconds = retryAfter(headers['retry-after']);
    this.location = excerpt(String(headers.location ?? '').replace(/[?#].*$/s, ''));
    this.exhausted = status === 402 || (quotaStatuses.has(status) && namesQuota(body));
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

const quotaStatuses = new Set([400, 403, 429, 503]);
const quotaCodes = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'quota_exceeded']);
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

/** Says whether a server asks for fewer requests: 429, or 503 with a time to come back. */
export function throttles(error: unknown): boolean {
  if (!(error instanceof HttpFailure)) return false;
  return error.status === 429 || (error.status === 503 && error.retryAfterMilliseconds > 0);
}

/** Returns an HTTP status, or a word for why there was none. */
export function statusOf(error: unknown): number | string {
  if (error instanceof HttpFailure) return error.status;
  if (error instanceof Unreadable) return error.reason;
  return codeOf(error) || 'failed';
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

/** How a server's refusal of more requests is to be told. */
export interface Refusal {
  /** No request will be taken for longer than is waited for. */
  readonly exhausted: boolean;
  /** What was answered so far is kept, and the same command can go on. */
  readonly resumable: boolean;
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
  { exhausted, resumable }: Refusal,
): TouchmarkError {
  const tries = attempts > 1 ? ` (${attempts} attempts)` : '';
  const { code, message, hint } =
    exhausted && error instanceof HttpFailure
      ? describeExhausted(error, resumable)
      : describe(error);
  const said = `the model at ${address} ${message}${tries}`;
  if (asked) return new TouchmarkError(code, said, { hint, cause: error });
  return new TouchmarkError(code, `${said}; nothing was asked yet`, {
    hint: 'check that the address is right and that the server runs',
    cause: error,
  });
}

function describeExhausted(failure: HttpFailure, resumable: boolean): Explanation {
  if (!resumable && !failure.exhausted) return describeStatus(failure);
  const { status, retryAfterMilliseconds: wait } = failure;
  const said = failure.message === '' ? '' : `: ${failure.message}`;
  const latest = 8.64e15 - Date.now();
  const when =
    wait > 0 && wait < latest ? `after ${new Date(Date.now() + wait).toISOString()}` : 'later';
  return {
    code: resumable ? 'RUN_INCOMPLETE' : 'SUSPECT_REFUSED',
    message: `takes no more requests for now: status ${status}${said}`,
    hint: resumable
      ? `what was answered is kept: go on ${when} with --resume`
      : `raise the quota there, or try again ${when}`,
  };
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

/** OpenAI's error object, and those that imitate it. */
function namesQuota(body: string): boolean {
  let error: unknown;
  try {
    error = (JSON.parse(body) as { error?: unknown } | null)?.error;
  } catch {
    return false;
  }
  if (typeof error !== 'object' || error === null) return false;
  const { code, type } = error as { code?: unknown; type?: unknown };
  return [code, type].some((each) => typeof each === 'string' && quotaCodes.has(each));
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function causeOf(error: unknown): unknown {
  return TouchmarkError.isInstance(error) ? error.cause : undefined;
}
