import { setTimeout } from 'node:timers/promises';
import { TouchmarkError } from '../errors.ts';
import type { AttemptResult, RequestGate } from '../models/adapters/transport.ts';
import type { Budget } from './budget.ts';

/** Where requests and failures are written down, apart from answers. */
export interface AttemptJournal {
  /** Resolves once the request would be remembered if this process died while it is under way. */
  sent(): Promise<void>;
  failed(failure: {
    readonly status: number | string;
    readonly waitMilliseconds: number;
    readonly attempt: number;
  }): void;
  spent(tokens: number): void;
}

export interface PaceOptions {
  readonly budget?: Budget;
  readonly journal?: AttemptJournal;
  /** How long a suspect may answer nothing but 429 before the run is left for later; default 300 s. */
  readonly patienceMilliseconds?: number;
  /** Requests under way at once, at most; default 16. */
  readonly maximum?: number;
}

const initialConcurrency = 4;

/**
 * How fast one suspect is asked, shared by everything that asks it: additive increase and
 * multiplicative decrease (Chiu and Jain 1989). Each round of answers allows one request more at
 * once; a 429, or a 503 that says when to come back, halves them, once for all requests that were
 * under way; a Retry-After holds everybody.
 */
export class Pace implements RequestGate {
  readonly maximum: number;
  readonly #options: PaceOptions;
  #window: number;
  #cutAt = Number.NEGATIVE_INFINITY;
  #closedUntil = 0;
  /** When the suspect began to answer nothing but 429. */
  #throttledSince: number | undefined;
  #disturbances = 0;

  constructor(options: PaceOptions = {}) {
    this.maximum = options.maximum ?? 16;
    this.#window = Math.min(initialConcurrency, this.maximum);
    this.#options = options;
  }

  /** Requests that may be under way at once now. */
  get concurrency(): number {
    return Math.floor(this.#window);
  }

  /** Grows whenever a request failed or had to wait: the time of one meanwhile says nothing. */
  get disturbances(): number {
    return this.#disturbances;
  }

  /**
   * Resolves when a request may leave.
   *
   * @throws RUN_INCOMPLETE when a limit of the budget is reached, or when the suspect has answered
   *   nothing but 429 for longer than is waited for; the signal's reason
   */
  async ready(signal: AbortSignal): Promise<void> {
    this.#requirePatience();
    for (;;) {
      signal.throwIfAborted();
      const wait = this.#closedUntil - performance.now();
      if (wait <= 0) break;
      this.#disturbances += 1;
      await setTimeout(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    this.#options.budget?.admit();
    await this.#options.journal?.sent();
  }

  note(result: AttemptResult): void {
    const { status, attempt, retryAfterMilliseconds, tokens } = result;
    if (tokens !== undefined) {
      this.#options.budget?.spend(tokens);
      this.#options.journal?.spent(tokens);
    }
    if (result.succeeded) {
      this.#throttledSince = undefined;
      this.#window = Math.min(this.maximum, this.#window + 1 / this.#window);
      return;
    }
    this.#disturbances += 1;
    this.#options.journal?.failed({ status, attempt, waitMilliseconds: retryAfterMilliseconds });
    if (result.throttled) this.#slowDown(result);
  }

  #slowDown({ milliseconds, retryAfterMilliseconds }: AttemptResult): void {
    const now = performance.now();
    this.#throttledSince ??= now;
    this.#closedUntil = Math.max(this.#closedUntil, now + retryAfterMilliseconds);
    if (now - milliseconds < this.#cutAt) return;
    this.#cutAt = now;
    this.#window = Math.max(1, this.#window / 2);
  }

  #requirePatience(): void {
    const { patienceMilliseconds = 300_000 } = this.#options;
    if (this.#throttledSince === undefined) return;
    const throttled = performance.now() - this.#throttledSince;
    if (throttled < patienceMilliseconds) return;
    throw new TouchmarkError(
      'RUN_INCOMPLETE',
      `the suspect has answered every request with 429 for ${Math.round(throttled / 1000)} s`,
      { hint: 'what was answered is kept: go on later with --resume' },
    );
  }
}
