import { type ErrorCode, TouchmarkError } from '../errors.ts';

/** A request that cannot be answered, with what its sender may be told. */
export class RequestError extends Error {
  readonly status: number;
  /** When asking again makes sense. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, retryAfterSeconds?: number) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What a client is told of a failure. */
export interface ClientError {
  readonly status: number;
  readonly message: string;
  /** True when the fault is on this side of the wire and the operator should hear of it. */
  readonly ours: boolean;
  readonly retryAfterSeconds?: number;
}

const upstreamDown = 'the model behind this gateway does not answer now; try again later';
const upstreamWrong = 'the model behind this gateway gave an unusable answer';
const notRecorded = 'this gateway cannot record answers now and so gives none; try again later';

const byErrorCode: Partial<
  Record<ErrorCode, readonly [status: number, message: string, retryAfterSeconds?: number]>
> = {
  UPSTREAM_FAILED: [503, upstreamDown],
  UPSTREAM_ANSWER_INVALID: [502, upstreamWrong],
  SUSPECT_UNREACHABLE: [503, upstreamDown],
  SUSPECT_REFUSED: [503, upstreamDown],
  SUSPECT_ANSWER_INVALID: [502, upstreamWrong],
  STORE_LOCKED: [503, notRecorded],
  STORE_BUSY: [503, 'this gateway has more answers to record than it can now; try again later', 1],
  STORE_FULL: [503, notRecorded],
  STORE_DAMAGED: [503, notRecorded],
  LOG_INVALID: [503, notRecorded],
  INTERRUPTED: [503, upstreamDown],
};

const byFrameworkCode: Readonly<Record<string, readonly [status: number, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'the body is too large; send fewer or shorter inputs'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'the body has not the length that its header gives'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    'the body has no or another content type; send content-type: application/json',
  ],
  /** Only a client's connection comes here by this name; the upstream's are `UPSTREAM_FAILED`. */
  ECONNRESET: [400, 'the request broke off'],
  FST_ERR_BAD_URL: [400, 'the path is no valid percent-encoded UTF-8; encode it'],
};

/**
 * Returns what a client may be told of a failure: everything about its own request, and nothing
 * about the machinery behind the gateway.
 */
export function clientError(error: unknown): ClientError {
  if (error instanceof RequestError) {
    const { status, message, retryAfterSeconds } = error;
    const ours = status >= 500;
    return { status, message, ours, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  }
  if (TouchmarkError.isInstance(error)) {
    if (error.code === 'INPUT_INVALID') return { status: 400, message: error.message, ours: false };
    const [status, message, retry] = byErrorCode[error.code] ?? [500, 'internal error'];
    return {
      status,
      message,
      ours: true,
      ...(retry !== undefined && { retryAfterSeconds: retry }),
    };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [status, message] = byFrameworkCode[code] ?? [500, 'internal error'];
  return { status, message, ours: status >= 500 };
}
