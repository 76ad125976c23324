import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { json } from '@sigstore/core';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { type ChainHead, digest } from './chain.ts';
import { AppendFile, guarded, readIfPresent, splitLines, syncDirectory } from './files.ts';
import { lockDirectory } from './lock.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What one kind of chained file holds, and what messages call it. */
export interface ChainedFormat<Event> {
  readonly schema: z.ZodType<Event>;
  /** Hashed for the head of the empty file, so that lines cannot move between kinds. */
  readonly genesis: string;
  /** Hashed with the head before and the event in RFC 8785 JSON, for each line's hash. */
  readonly label: string;
  /** What the lock is of. */
  readonly what: string;
  /** What to do about a broken line. */
  readonly hint: string;
}

/** What a chained file holds, checked from its first line to its last. */
export interface ChainedContent<Event> {
  readonly events: readonly Event[];
  readonly head: ChainHead;
  /** Bytes of complete lines. */
  readonly size: number;
}

/**
 * Reads a file of events, each line with the hash of the one before; a file that was never written
 * is empty. Needs no lock. A last line without its end, as a crash leaves it, was never acknowledged
 * and is left out.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line of the first break
 */
export async function readChainedFile<Event>(
  path: string,
  format: ChainedFormat<Event>,
): Promise<ChainedContent<Event>> {
  const lineSchema = z.strictObject({
    sequence: z.int().nonnegative(),
    previous: sha256,
    hash: sha256,
    event: format.schema,
  });
  const bytes = (await readIfPresent(path)) ?? Buffer.alloc(0);
  const { lines, rest } = splitLines(bytes);
  const events: Event[] = [];
  let head: ChainHead = { size: 0, hash: digest(format.genesis) };
  for (const [index, line] of lines.entries()) {
    const invalid = (reason: string) =>
      new TouchmarkError('LOG_INVALID', `${path}:${index + 1}: this line ${reason}.`, {
        hint: format.hint,
      });
    const { data } = lineSchema.safeParse(parseJson(line));
    if (data === undefined) throw invalid('is no event that this version knows');
    if (data.sequence !== head.size || data.previous !== head.hash) {
      throw invalid('does not link to the line before it');
    }
    if (line !== lineOf(format, head, data.event)) {
      throw invalid('does not have the hash of its content');
    }
    events.push(data.event);
    head = { size: data.sequence + 1, hash: data.hash };
  }
  return { events, head, size: bytes.length - rest };
}

/**
 * Opens a chained file for writing, under the lock of its directory, makes it when there is none,
 * and cuts off what a crash left unfinished.
 *
 * @param options.waitMilliseconds how long to wait while another process writes
 * @throws TouchmarkError STORE_LOCKED naming the process that has it; LOG_INVALID naming file and
 *   line; STORE_FULL or STORE_DAMAGED when the file system refuses
 */
export async function openChainedFile<Event>(
  path: string,
  format: ChainedFormat<Event>,
  options: { readonly now: Date; readonly waitMilliseconds: number },
): Promise<ChainedFile<Event>> {
  const directory = dirname(path);
  const made = await guarded('make', directory, () =>
    mkdir(directory, { recursive: true, mode: 0o700 }),
  );
  if (made !== undefined) await syncDirectory(dirname(directory));
  let lost: TouchmarkError | undefined;
  const release = await lockDirectory(
    directory,
    options.now,
    (error) => {
      lost = error;
    },
    { what: format.what, waitMilliseconds: options.waitMilliseconds },
  );
  let file: AppendFile | undefined;
  try {
    const content = await readChainedFile(path, format);
    file = await AppendFile.open(path);
    if (file.size > content.size) await file.truncate(content.size);
    await file.sync();
    await syncDirectory(directory);
    return new ChainedFile(format, content, file, () => lost, release);
  } catch (cause) {
    await file?.close().catch(() => undefined);
    await release();
    throw cause;
  }
}

/** A chained file that this process writes to, until it closes it. */
export class ChainedFile<Event> {
  readonly #format: ChainedFormat<Event>;
  readonly #events: Event[];
  readonly #file: AppendFile;
  readonly #lost: () => TouchmarkError | undefined;
  readonly #release: () => Promise<void>;
  #head: ChainHead;
  #failure: unknown;

  /** Use `openChainedFile`. */
  constructor(
    format: ChainedFormat<Event>,
    { events, head }: ChainedContent<Event>,
    file: AppendFile,
    lost: () => TouchmarkError | undefined,
    release: () => Promise<void>,
  ) {
    this.#format = format;
    this.#events = [...events];
    this.#head = head;
    this.#file = file;
    this.#lost = lost;
    this.#release = release;
  }

  get events(): readonly Event[] {
    return this.#events;
  }

  /**
   * Appends events in order, as RFC 8785 spells them; when this resolves they survive a power cut.
   *
   * @throws TouchmarkError STORE_FULL when there is no room: none was appended, and appending may be
   *   tried again; STORE_LOCKED when this process slept for so long that it lost the lock
   */
  async append(events: readonly Event[]): Promise<void> {
    if (events.length === 0) return;
    z.array(this.#format.schema).parse(events);
    const refusal = this.#lost() ?? this.#failure;
    if (refusal) throw refusal;
    let head = this.#head;
    const lines = events.map((event) => {
      const line = lineOf(this.#format, head, event);
      head = { size: head.size + 1, hash: hashOf(this.#format, head, event) };
      return `${line}\n`;
    });
    try {
      await this.#file.append(Buffer.from(lines.join('')));
      this.#head = head;
      this.#events.push(...events);
      await this.#file.sync();
    } catch (cause) {
      if (!TouchmarkError.isInstance(cause) || cause.code !== 'STORE_FULL') this.#failure = cause;
      throw cause;
    }
  }

  /** Gives up the lock. */
  async close(): Promise<void> {
    try {
      await this.#file.close();
    } finally {
      await this.#release();
    }
  }
}

function lineOf<Event>(format: ChainedFormat<Event>, head: ChainHead, event: Event): string {
  const { size: sequence, hash: previous } = head;
  return json.canonicalize({ sequence, previous, hash: hashOf(format, head, event), event });
}

function hashOf<Event>(
  { label }: ChainedFormat<Event>,
  { size, hash }: ChainHead,
  event: Event,
): string {
  return digest(label, `${size}`, hash, json.canonicalize(event));
}
