import { randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { ChainHead } from './chain.ts';
import { AppendFile, errnoOf, guarded, syncDirectory } from './files.ts';
import { lockDirectory } from './lock.ts';
import {
  nextRunLine,
  type RunEntry,
  type RunPayload,
  runBreak,
  runEntryLine,
  runEntrySchema,
  runGenesis,
  runHeadAfter,
  runPayloadSchema,
} from './run-chain.ts';
import { RunOutcomes } from './run-outcomes.ts';

const saltBytes = 16;
const chunkBytes = 2 ** 20;

/** An answer to write down. */
export interface RecordedAnswer {
  readonly probe: { readonly id: string };
  readonly outcome: Outcome;
  readonly milliseconds?: number;
  readonly attempts?: number;
}

/** Returns the path of the run log in the directory of its audit. */
export function runLogPath(directory: string): string {
  return join(directory, 'answers.jsonl');
}

/**
 * Opens the run log of a sealed plan for writing, makes it when there is none, and cuts off a last
 * line that a crash left unfinished. One process at a time has it.
 *
 * @throws TouchmarkError STORE_LOCKED naming the process that has it; STORE_DAMAGED naming the line
 *   that does not continue the chain, or when the file system refuses; STORE_FULL
 */
export async function openRunLog(directory: string, planHash: string): Promise<ChainedRunLog> {
  let lost: TouchmarkError | undefined;
  const release = await lockDirectory(
    directory,
    new Date(),
    (error) => {
      lost = error;
    },
    { what: 'audit' },
  );
  const path = runLogPath(directory);
  let file: AppendFile | undefined;
  try {
    const outcomes = new RunOutcomes();
    let head = runGenesis(planHash);
    let size = 0;
    for await (const { entry, end } of readRunLog(directory, planHash)) {
      const { id, outcome, milliseconds } = entry.payload;
      outcomes.add(id, outcome, milliseconds);
      head = runHeadAfter(head, entry);
      size = end;
    }
    file = await AppendFile.open(path);
    if (file.size > size) await file.truncate(size);
    await file.sync();
    await syncDirectory(directory);
    return new ChainedRunLog({ file, head, outcomes, lost: () => lost, release });
  } catch (cause) {
    await file?.close().catch(() => undefined);
    await release();
    throw cause;
  }
}

/**
 * Reads a run log entry by entry, checking each against the one before; `end` is the byte behind its
 * line. Needs no lock. A log that was never written is empty; a last line without its end is left
 * out.
 *
 * @throws TouchmarkError STORE_DAMAGED naming the first line that does not continue the chain
 */
export async function* readRunLog(
  directory: string,
  planHash: string,
): AsyncGenerator<{ readonly entry: RunEntry; readonly end: number }> {
  const path = runLogPath(directory);
  const seen = new Set<string>();
  let head = runGenesis(planHash);
  for await (const { line, end } of completeLines(path)) {
    const { data: entry } = runEntrySchema.safeParse(parseJson(line));
    if (entry === undefined) throw damaged(path, head, 'is no recorded answer');
    const broken = runBreak(head, entry);
    if (broken !== undefined) throw damaged(path, head, broken);
    if (runEntryLine(entry) !== line) throw damaged(path, head, 'is not spelled as the log does');
    if (seen.has(entry.payload.id)) throw damaged(path, head, 'answers a probe a second time');
    seen.add(entry.payload.id);
    head = runHeadAfter(head, entry);
    yield { entry, end };
  }
}

/** The answers of one audit: appended batch by batch, and recalled instead of asked for again. */
export class ChainedRunLog {
  readonly #file: AppendFile;
  readonly #outcomes: RunOutcomes;
  readonly #lost: () => TouchmarkError | undefined;
  readonly #release: () => Promise<void>;
  #head: ChainHead;
  /** Calls that came while others were being written. */
  #waiting: (readonly RecordedAnswer[])[] = [];
  /** Writes those that wait, once what is under way is done. */
  #next: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** Use `openRunLog`. */
  constructor(opened: {
    readonly file: AppendFile;
    readonly head: ChainHead;
    readonly outcomes: RunOutcomes;
    readonly lost: () => TouchmarkError | undefined;
    readonly release: () => Promise<void>;
  }) {
    this.#file = opened.file;
    this.#head = opened.head;
    this.#outcomes = opened.outcomes;
    this.#lost = opened.lost;
    this.#release = opened.release;
  }

  /** The end of the chain: what a dossier states about all answers. */
  get head(): ChainHead {
    return this.#head;
  }

  /** Probes that have an outcome on disk. */
  get answered(): number {
    return this.#outcomes.size;
  }

  recall({ id }: { readonly id: string }): Outcome | undefined {
    return this.#outcomes.outcomeOf(id);
  }

  /** How long a probe's answer took, where that was measured. */
  millisecondsOf({ id }: { readonly id: string }): number | undefined {
    return this.#outcomes.millisecondsOf(id);
  }

  /**
   * Appends outcomes and resolves once they would survive a power cut; calls that come while others
   * are being written share the next write, in their order, and its failure. After a write that
   * failed all later calls fail likewise, until the log is opened again.
   *
   * @throws TouchmarkError STORE_FULL, STORE_DAMAGED; STORE_LOCKED when this process slept for so
   *   long that it lost the lock
   */
  record(answers: readonly RecordedAnswer[]): Promise<void> {
    this.#waiting.push(answers);
    if (this.#next === undefined) {
      this.#next = this.#writing.then(() => {
        this.#next = undefined;
        return this.#append(this.#waiting.splice(0).flat());
      });
      this.#writing = this.#next;
    }
    return this.#next;
  }

  async #append(answers: readonly RecordedAnswer[]): Promise<void> {
    const lost = this.#lost();
    if (lost !== undefined) throw lost;
    this.#requireUnanswered(answers);
    const at = new Date().toISOString();
    const salts = randomBytes(saltBytes * answers.length);
    let head = this.#head;
    const lines = answers.map(({ probe, ...answer }, index) => {
      const salt = salts.subarray(saltBytes * index, saltBytes * (index + 1));
      const payload: RunPayload = runPayloadSchema.parse({ id: probe.id, at, ...answer });
      const next = nextRunLine(head, salt, payload);
      head = next.head;
      return `${next.line}\n`;
    });
    await this.#file.append(Buffer.from(lines.join('')));
    await this.#file.sync();
    this.#head = head;
    for (const { probe, outcome, milliseconds } of answers) {
      this.#outcomes.add(probe.id, outcome, milliseconds);
    }
  }

  #requireUnanswered(answers: readonly RecordedAnswer[]): void {
    const ids = new Set<string>();
    for (const { probe } of answers) {
      if (this.#outcomes.has(probe.id) || ids.has(probe.id)) {
        throw new RangeError(`the probe ${probe.id} was answered before`);
      }
      ids.add(probe.id);
    }
  }

  /** Waits for what is being written, and lets other processes have the log. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    try {
      await this.#file.close();
    } finally {
      await this.#release();
    }
  }
}

/** Lines that end with a line break, and the byte behind each. */
async function* completeLines(
  path: string,
): AsyncGenerator<{ readonly line: string; readonly end: number }> {
  const handle = await openIfPresent(path);
  if (handle === undefined) return;
  try {
    let rest = Buffer.alloc(0);
    let end = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await guarded('read', path, () => handle.read(chunk));
      if (bytesRead === 0) return;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let start = 0;
      for (let stop = bytes.indexOf(0x0a); stop >= 0; stop = bytes.indexOf(0x0a, start)) {
        end += stop + 1 - start;
        yield { line: bytes.toString('utf8', start, stop), end };
        start = stop + 1;
      }
      rest = bytes.subarray(start);
    }
  } finally {
    await handle.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  return guarded('open', path, async () => {
    try {
      return await open(path, 'r');
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw cause;
    }
  });
}

function damaged(path: string, { size }: ChainHead, reason: string): TouchmarkError {
  return new TouchmarkError('STORE_DAMAGED', `${path}:${size + 1}: this line ${reason}.`, {
    hint: 'The file was edited, belongs to another audit, or the disk is failing. Start a new audit.',
  });
}
