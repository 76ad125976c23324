/** What the gateway accepts. */
export interface Limits {
  /** Inputs in one request. */
  readonly maxBatch: number;
  /** UTF-16 units in one text. */
  readonly maxTextLength: number;
  /** Bytes of a request's body. */
  readonly maxBodyBytes: number;
  /** Open connections; further ones are closed on arrival. */
  readonly maxConnections: number;
  /** Requests at once on one connection; further ones are refused, so that nobody makes answers pile up. */
  readonly maxPipelined: number;
  /** For a client to send its whole request. */
  readonly requestMilliseconds: number;
  /** For a request to be answered. */
  readonly answerMilliseconds: number;
  /** For a connection on which nothing moves. */
  readonly idleMilliseconds: number;
  /** For requests under way to finish when the gateway closes. */
  readonly graceMilliseconds: number;
}

/** Limits that suit a classifier of short texts or small tensors on one machine. */
export const defaultLimits: Limits = {
  maxBatch: 1_024,
  maxTextLength: 16_384,
  maxBodyBytes: 8 * 2 ** 20,
  maxConnections: 1_024,
  maxPipelined: 32,
  requestMilliseconds: 30_000,
  answerMilliseconds: 60_000,
  idleMilliseconds: 120_000,
  graceMilliseconds: 15_000,
};
