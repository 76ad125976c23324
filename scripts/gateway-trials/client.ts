import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';

/** No log, metric or message may hold this word, which stands in every question. */
export const canary = 'canarybird';

/** What a client asked and got: it keeps both, as a client does. */
export interface ClientAnswer {
  readonly tenant: string;
  readonly question: string;
  readonly probabilities: readonly number[];
}

export interface LoadOptions {
  readonly apiKeys: ReadonlyMap<string, string>;
  /** Connections that are kept open, each with one request under way. */
  readonly connections: number;
  /** Questions in a request. */
  readonly batch: number;
  /** Characters that questions are longer by. */
  readonly padding?: number;
  /** Keeps answers; without it they are only counted. */
  readonly keepsAnswers?: boolean;
  /** Between an answer and the next question of a connection. */
  readonly pauseMilliseconds?: number;
}

/** Clients of many tenants who ask without end, and remember what they were told. */
export class Load {
  readonly answers: ClientAnswer[] = [];
  /** Answered requests by status. */
  readonly statuses = new Map<number, number>();
  /** Questions of requests that broke off without an answer. */
  readonly unanswered: string[] = [];
  /** Questions that were answered. */
  count = 0;
  /** Milliseconds of answered requests. */
  readonly milliseconds: number[] = [];
  readonly #options: LoadOptions;
  readonly #pool: Pool;
  readonly #tenants: readonly (readonly [string, string])[];
  #running = true;
  #asked = 0;
  readonly #loops: Promise<void>[];

  constructor(address: string, options: LoadOptions) {
    this.#options = options;
    this.#pool = new Pool(address, { connections: options.connections, pipelining: 1 });
    this.#tenants = [...options.apiKeys];
    this.#loops = Array.from({ length: options.connections }, () => this.#loop());
  }

  /** Stops asking and resolves when every request has ended, in one way or the other. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    await this.#pool.destroy();
  }

  /** Resolves when so many more requests have ended with a status. @throws Error after 30 s */
  async until(status: number, more: number): Promise<void> {
    const aim = (this.statuses.get(status) ?? 0) + more;
    const deadline = performance.now() + 30_000;
    while ((this.statuses.get(status) ?? 0) < aim) {
      if (performance.now() > deadline) throw new Error(`no ${more} answers of status ${status}`);
      await pause(10);
    }
  }

  async #loop(): Promise<void> {
    while (this.#running) {
      await this.#ask();
      const { pauseMilliseconds } = this.#options;
      if (pauseMilliseconds !== undefined) await pause(pauseMilliseconds);
    }
  }

  async #ask(): Promise<void> {
    const { batch, padding = 0, keepsAnswers = true } = this.#options;
    const [tenant, apiKey] = this.#tenants[this.#asked % this.#tenants.length]!;
    this.#asked += 1;
    const questions = Array.from({ length: batch }, () => newQuestion(padding));
    const begun = performance.now();
    try {
      const { statusCode, body } = await this.#pool.request({
        method: 'POST',
        path: '/v2/models/letters/infer',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          inputs: [{ name: 'text', datatype: 'BYTES', shape: [batch], data: questions }],
        }),
      });
      const document = JSON.parse(await body.text());
      this.statuses.set(statusCode, (this.statuses.get(statusCode) ?? 0) + 1);
      this.milliseconds.push(performance.now() - begun);
      if (statusCode !== 200) return;
      this.count += batch;
      if (!keepsAnswers) return;
      const data: number[] = document.outputs[0].data;
      const width = data.length / batch;
      for (const [row, question] of questions.entries()) {
        const probabilities = data.slice(row * width, (row + 1) * width);
        this.answers.push({ tenant, question, probabilities });
      }
    } catch {
      this.unanswered.push(...questions);
      if (this.#running) await pause(5);
    }
  }
}

function newQuestion(padding: number): string {
  return `${canary} ${randomBytes(9).toString('hex')}${'aaab '.repeat(padding / 5)}`;
}

/** Returns a summary of statuses, such as `200: 17, 503: 2`. */
export function shownStatuses({ statuses, unanswered }: Load): string {
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, n]) => `${status}: ${n}`);
  return [...counts, ...(unanswered.length > 0 ? [`cut off: ${unanswered.length}`] : [])].join(
    ', ',
  );
}
