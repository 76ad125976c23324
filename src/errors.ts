/** The closed set of things that can go wrong. A caller may switch on it. */
export type ErrorCode =
  | 'USAGE'
  | 'CONFIG_INVALID'
  | 'INPUT_INVALID'
  | 'KEY_RING_PERMISSIONS'
  | 'KEY_RING_INVALID'
  | 'KEY_RING_PASSPHRASE'
  | 'KEY_SOURCE_FAILED'
  | 'EPOCH_UNKNOWN'
  | 'TENANT_UNKNOWN'
  | 'SUSPECT_UNREACHABLE'
  | 'SUSPECT_REFUSED'
  | 'SUSPECT_ANSWER_INVALID'
  | 'UPSTREAM_FAILED'
  | 'UPSTREAM_ANSWER_INVALID'
  | 'RUN_INCOMPLETE'
  | 'RUN_CONFLICT'
  | 'PLAN_INVALID'
  | 'EVIDENCE_INVALID'
  | 'LOG_INVALID'
  | 'TRAP_SET_INVALID'
  | 'TRAPS_EXPOSED'
  | 'CLOCK_DOUBTFUL'
  | 'FINGERPRINT_INVALID'
  | 'FINGERPRINTS_INCOMPARABLE'
  | 'STORE_LOCKED'
  | 'STORE_BUSY'
  | 'STORE_FULL'
  | 'STORE_DAMAGED'
  | 'THRESHOLD_TRIPPED'
  | 'INTERRUPTED';

const exitCodes: Record<ErrorCode, number> = {
  USAGE: 2,
  CONFIG_INVALID: 2,
  INPUT_INVALID: 2,
  KEY_RING_PERMISSIONS: 2,
  KEY_RING_INVALID: 6,
  KEY_RING_PASSPHRASE: 2,
  KEY_SOURCE_FAILED: 2,
  EPOCH_UNKNOWN: 2,
  TENANT_UNKNOWN: 2,
  SUSPECT_UNREACHABLE: 3,
  SUSPECT_REFUSED: 3,
  SUSPECT_ANSWER_INVALID: 3,
  UPSTREAM_FAILED: 3,
  UPSTREAM_ANSWER_INVALID: 3,
  RUN_INCOMPLETE: 4,
  RUN_CONFLICT: 2,
  PLAN_INVALID: 2,
  EVIDENCE_INVALID: 5,
  LOG_INVALID: 5,
  TRAP_SET_INVALID: 5,
  TRAPS_EXPOSED: 2,
  CLOCK_DOUBTFUL: 2,
  FINGERPRINT_INVALID: 2,
  FINGERPRINTS_INCOMPARABLE: 2,
  STORE_LOCKED: 6,
  STORE_BUSY: 6,
  STORE_FULL: 6,
  STORE_DAMAGED: 6,
  THRESHOLD_TRIPPED: 10,
  INTERRUPTED: 130,
};

const marker = Symbol.for('touchmark.error');

/** An error that says what happened, where, and what to do about it. */
export class TouchmarkError extends Error {
  readonly code: ErrorCode;
  /** What the reader can do about it, as a sentence; empty when there is nothing to add. */
  readonly hint: string;
  readonly [marker] = true;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TouchmarkError';
    this.code = code;
    this.hint = options.hint ?? '';
  }

  /** The exit code of a process that ends with this error. */
  get exitCode(): number {
    return exitCodes[this.code];
  }

  /** True for errors of this class, also across duplicate copies of the package. */
  static isInstance(value: unknown): value is TouchmarkError {
    return typeof value === 'object' && value !== null && marker in value;
  }
}
