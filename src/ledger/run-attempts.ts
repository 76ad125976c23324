import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../json.ts';
import { AppendFile, errnoOf, splitLines, storageError } from './files.ts';

const at = z.iso.datetime();
const lineSchema = z.discriminatedUnion('what', [
  z.strictObject({ at, what: z.literal('began') }),
  z.strictObject({ at, what: z.literal('sent') }),
  z.strictObject({ at, what: z.literal('spent'), tokens: z.int().nonnegative() }),
  z.strictObject({
    at,
    what: z.literal('failed'),
    /** HTTP status, or a word for why there was none. */
    status: z.union([z.int(), z.string()]),
    /** As the suspect asked by Retry-After. */
    waitMilliseconds: z.number().nonnegative(),
    /** Counts the attempts of one request from 1. */
    attempt: z.int().positive(),
  }),
]);
type Line = z.infer<typeof lineSchema>;

/** What the sessions of a run so far have cost. */
export interface EarlierAttempts {
  readonly requests: number;
  readonly tokens: number;
  /** From the first to the last line of each session. */
  readonly seconds: number;
}

/** Returns the path of the attempts in the directory of an audit. */
export function attemptsPath(directory: string): string {
  return join(directory, 'attempts.jsonl');
}

/**
 * Opens the requests of an audit, beside its answers and under the lock of its run log. They bear no
 * evidence: what is behind a line that a crash left unreadable is dropped.
 *
 * @throws TouchmarkError STORE_FULL, STORE_DAMAGED
 */
export async function openRunAttempts(directory: string): Promise<RunAttempts> {
  const path = attemptsPath(directory);
  const bytes = await readFile(path).catch((cause: unknown) => {
    if (errnoOf(cause) === 'ENOENT') return Buffer.alloc(0);
    throw storageError('read', path, cause);
  });
  const read: Line[] = [];
  let size = 0;
  for (const line of splitLines(bytes).lines) {
    const { data } = lineSchema.safeParse(parseJson(line));
    if (data === undefined) break;
    read.push(data);
    size += Buffer.byteLength(line) + 1;
  }
  const file = await AppendFile.open(path);
  if (file.size > size) await file.truncate(size);
  const attempts = new RunAttempts(file, sumOf(read));
  await attempts.begin();
  return attempts;
}

/** The requests that an audit sends and those that failed, never an answer. */
export class RunAttempts {
  /** Of the sessions before this one. */
  readonly earlier: EarlierAttempts;
  readonly #file: AppendFile;
  /** Lines that came while others were being written. */
  #waiting: string[] = [];
  /** Writes those that wait, once what is under way is done. */
  #next: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** Use `openRunAttempts`. */
  constructor(file: AppendFile, earlier: EarlierAttempts) {
    this.#file = file;
    this.earlier = earlier;
  }

  begin(): Promise<void> {
    return this.#append({ at: now(), what: 'began' });
  }

  /** Resolves once the request would be remembered if this process died. */
  sent(): Promise<void> {
    return this.#append({ at: now(), what: 'sent' });
  }

  spent(tokens: number): void {
    this.#append({ at: now(), what: 'spent', tokens }).catch(() => undefined);
  }

  failed(failure: Omit<Extract<Line, { what: 'failed' }>, 'at' | 'what'>): void {
    const { status, waitMilliseconds, attempt } = failure;
    const line = { at: now(), what: 'failed', status, waitMilliseconds, attempt } as const;
    this.#append(line).catch(() => undefined);
  }

  /** A line that could not be written fails all later ones: the next request is not sent. */
  #append(line: Line): Promise<void> {
    this.#waiting.push(`${JSON.stringify(line)}\n`);
    if (this.#next === undefined) {
      this.#next = this.#writing.then(() => {
        this.#next = undefined;
        return this.#file.append(Buffer.from(this.#waiting.splice(0).join('')));
      });
      this.#writing = this.#next;
    }
    return this.#next;
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    await this.#file.close();
  }
}

function sumOf(lines: readonly Line[]): EarlierAttempts {
  let [requests, tokens, milliseconds, begun] = [0, 0, 0, 0];
  lines.forEach((line, index) => {
    if (line.what === 'sent') requests += 1;
    if (line.what === 'spent') tokens += line.tokens;
    if (line.what === 'began') begun = Date.parse(line.at);
    const next = lines[index + 1];
    if (next === undefined || next.what === 'began') {
      milliseconds += Math.max(0, Date.parse(line.at) - begun);
    }
  });
  return { requests, tokens, seconds: milliseconds / 1000 };
}

function now(): string {
  return new Date().toISOString();
}
