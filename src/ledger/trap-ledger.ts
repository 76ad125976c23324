import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { json } from '@sigstore/core';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { type TrapEvent, trapEventSchema } from '../traps/events.ts';
import { type ChainHead, digest, parseJson } from './chain.ts';
import { AppendFile, guarded, readIfPresent, splitLines, syncDirectory } from './files.ts';
import { lockDirectory } from './lock.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const lineSchema = z.strictObject({
  sequence: z.int().nonnegative(),
  previous: sha256,
  hash: sha256,
  event: trapEventSchema,
});

/** What a trap ledger holds, checked from its first line to its last. */
export interface TrapLedgerContent {
  readonly events: readonly TrapEvent[];
  readonly head: ChainHead;
  /** Bytes of complete lines. */
  readonly size: number;
}

/** Returns the path of the ledger in the directory that keeps it. */
export function trapLedgerPath(directory: string): string {
  return join(directory, 'ledger.jsonl');
}

/**
 * Reads a trap ledger; one that was never written is empty. Needs no lock. A last line without its
 * end, as a crash leaves it, was never acknowledged and is left out.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line of the first break
 */
export async function readTrapLedger(directory: string): Promise<TrapLedgerContent> {
  const path = trapLedgerPath(directory);
  const bytes = (await readIfPresent(path)) ?? Buffer.alloc(0);
  const { lines, rest } = splitLines(bytes);
  const events: TrapEvent[] = [];
  let head: ChainHead = { size: 0, hash: digest('touchmark/v1/trap-ledger') };
  for (const [index, line] of lines.entries()) {
    const { data } = lineSchema.safeParse(parseJson(line));
    if (data === undefined) throw ledgerInvalid(path, index, 'is no event that this version knows');
    if (data.sequence !== head.size || data.previous !== head.hash) {
      throw ledgerInvalid(path, index, 'does not link to the line before it');
    }
    if (line !== lineOf(head, data.event)) {
      throw ledgerInvalid(path, index, 'does not have the hash of its content');
    }
    events.push(data.event);
    head = { size: data.sequence + 1, hash: data.hash };
  }
  return { events, head, size: bytes.length - rest };
}

/**
 * Opens a trap ledger for writing, under the lock of its directory, makes it when there is none, and
 * cuts off what a crash left unfinished.
 *
 * @param options.waitMilliseconds how long to wait while another process writes
 * @throws TouchmarkError STORE_LOCKED naming the process that has it; LOG_INVALID naming file and
 *   line; STORE_FULL or STORE_DAMAGED when the file system refuses
 */
export async function openTrapLedger(
  directory: string,
  options: { readonly now: Date; readonly waitMilliseconds: number },
): Promise<TrapLedger> {
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
    { what: 'stock of traps', waitMilliseconds: options.waitMilliseconds },
  );
  let file: AppendFile | undefined;
  try {
    const content = await readTrapLedger(directory);
    file = await AppendFile.open(trapLedgerPath(directory));
    if (file.size > content.size) await file.truncate(content.size);
    await file.sync();
    await syncDirectory(directory);
    return new TrapLedger(content, file, () => lost, release);
  } catch (cause) {
    await file?.close().catch(() => undefined);
    await release();
    throw cause;
  }
}

/** A trap ledger that this process writes to, until it closes it. */
export class TrapLedger {
  readonly #events: TrapEvent[];
  readonly #file: AppendFile;
  readonly #lost: () => TouchmarkError | undefined;
  readonly #release: () => Promise<void>;
  #head: ChainHead;
  #failure: unknown;

  /** Use `openTrapLedger`. */
  constructor(
    { events, head }: TrapLedgerContent,
    file: AppendFile,
    lost: () => TouchmarkError | undefined,
    release: () => Promise<void>,
  ) {
    this.#events = [...events];
    this.#head = head;
    this.#file = file;
    this.#lost = lost;
    this.#release = release;
  }

  get events(): readonly TrapEvent[] {
    return this.#events;
  }

  /**
   * Appends events in order, as RFC 8785 spells them; when this resolves they survive a power cut.
   *
   * @throws TouchmarkError STORE_FULL when there is no room: none was appended, and appending may be
   *   tried again; STORE_LOCKED when this process slept for so long that it lost the lock
   */
  async append(events: readonly TrapEvent[]): Promise<void> {
    if (events.length === 0) return;
    z.array(trapEventSchema).parse(events);
    const refusal = this.#lost() ?? this.#failure;
    if (refusal) throw refusal;
    let head = this.#head;
    const lines = events.map((event) => {
      const line = lineOf(head, event);
      head = { size: head.size + 1, hash: hashOf(head, event) };
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

function lineOf(head: ChainHead, event: TrapEvent): string {
  const { size: sequence, hash: previous } = head;
  return json.canonicalize({ sequence, previous, hash: hashOf(head, event), event });
}

function hashOf({ size, hash }: ChainHead, event: TrapEvent): string {
  return digest('touchmark/v1/trap-event', `${size}`, hash, json.canonicalize(event));
}

function ledgerInvalid(path: string, index: number, reason: string): TouchmarkError {
  return new TouchmarkError('LOG_INVALID', `${path}:${index + 1}: this line ${reason}.`, {
    hint: 'The trap ledger was edited or belongs to a newer version. Restore it from a copy, the newest there is: traps that an older one does not know as shown could be shown twice.',
  });
}
