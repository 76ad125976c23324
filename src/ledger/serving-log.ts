import { mkdir } from 'node:fs/promises';
import type { LoggedAnswer, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { AnswerLog } from './answer-log.ts';
import {
  Batch,
  type EncodedAnswer,
  prepareAnswer,
  randomBytesPerAnswer,
  type UntimedNote,
} from './batch.ts';
import type { ChainHead, SealedKind } from './chain.ts';
import { removePayloads } from './expiry.ts';
import { guarded } from './files.ts';
import { KeyCache } from './key-cache.ts';
import { layoutOf } from './layout.ts';
import { lockDirectory } from './lock.ts';
import { LogFiles } from './log-files.ts';
import { type RecordSelection, readServingLog } from './read-log.ts';
import {
  countRecord,
  type LogState,
  prepareDirectory,
  type Recovery,
  recover,
  sealName,
} from './recover.ts';
import {
  defaults,
  type ServingLogOptions,
  type ServingLogSettings,
} from './serving-log-options.ts';
import { type Work, WriteQueue } from './write-queue.ts';

/** What the log's one writer does next. */
type LogWork = Work &
  (
    | { readonly answers: readonly EncodedAnswer[] }
    | { readonly note: UntimedNote }
    | { readonly expireBefore: Date }
  );

/** What expired. */
export interface Expiry {
  /** The last sequence among them; absent when nothing expired. */
  readonly through?: number;
  /** Served records whose payloads were still kept. */
  readonly records: number;
  readonly segments: number;
}

/** Written in one go, so that writing many holds up other work for some milliseconds at most. */
const recordsPerWrite = 128;
const dayMilliseconds = 86_400_000;

/**
 * Opens a serving log for writing, makes it when there is none, and mends what a crash left.
 *
 * @throws TouchmarkError STORE_LOCKED naming the process that holds it; LOG_INVALID naming file and
 *   line when it was changed; STORE_FULL or STORE_DAMAGED when the file system refuses
 */
export async function openServingLog(
  directory: string,
  options: ServingLogOptions = {},
): Promise<ServingLog> {
  const settings: ServingLogSettings = { ...defaults, ...options };
  const layout = layoutOf(directory);
  await guarded('make', directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  let loseLock = (_: TouchmarkError): void => undefined;
  const release = await lockDirectory(directory, settings.clock(), (error) => loseLock(error));
  try {
    const header = await prepareDirectory(layout, settings.random);
    const state = await recover(layout, header);
    const files = await LogFiles.open(layout, state.segments.current.number);
    const log = new ServingLog(directory, settings, state, files, release);
    loseLock = (error) => log.fail(error);
    if (settings.signingKey) await log.catchUp();
    if (settings.retentionDays !== undefined) await log.expire(log.retentionLimit());
    return log;
  } catch (cause) {
    await release();
    throw cause;
  }
}

/**
 * The log of what was served: a hash chain of salted commitments, with payloads beside it that are
 * encrypted per tenant. When `append` resolves, the records outlive this process, however it ends;
 * after `fsyncMilliseconds` and the time that writing takes, they outlive a power cut.
 */
export class ServingLog implements AnswerLog {
  readonly directory: string;
  /** What opening had to mend. */
  readonly recovery: Recovery;
  readonly #settings: ServingLogSettings;
  readonly #state: LogState;
  readonly #files: LogFiles;
  readonly #release: () => Promise<void>;
  readonly #keys: KeyCache;
  readonly #queue: WriteQueue<LogWork>;
  readonly #sealing = new Map<string, Promise<unknown>>();
  #head: ChainHead;
  #checkpointed: number;
  #retentionDue = false;
  #syncTimer: NodeJS.Timeout | undefined;
  #failure: TouchmarkError | undefined;
  #closing: Promise<void> | undefined;

  /** Use `openServingLog`. */
  constructor(
    directory: string,
    settings: ServingLogSettings,
    state: LogState,
    files: LogFiles,
    release: () => Promise<void>,
  ) {
    this.directory = directory;
    this.recovery = state.recovery;
    this.#settings = settings;
    this.#state = state;
    this.#files = files;
    this.#release = release;
    this.#keys = new KeyCache(layoutOf(directory), settings.random);
    this.#queue = new WriteQueue<LogWork>({
      write: (works) => this.#write(works),
      afterWrite: () => this.#checkpointWhenDue(),
      recordsPerWrite,
    });
    this.#head = state.head;
    this.#checkpointed = settings.signingKey ? state.signed : state.checkpointed;
  }

  /** Entries of the chain so far, those of every kind. */
  get count(): number {
    return this.#head.size;
  }

  /** The end of the chain. */
  get head(): ChainHead {
    return this.#head;
  }

  /** Answers that wait to be written, or are being written. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /**
   * Appends answers in order and resolves to their sequences once they are written. Appends of the
   * same moment share one write.
   *
   * @throws TouchmarkError STORE_BUSY at once, when more than `maxWaiting` would wait; STORE_FULL when
   *   there is no room. Nothing was appended then, and appending may be tried again; any other code
   *   means that the log must be opened anew
   */
  async append(answers: readonly LoggedAnswer[]): Promise<readonly number[]> {
    if (answers.length === 0) return [];
    this.#requireOpen();
    const { maxWaiting, keeps } = this.#settings;
    const { waiting } = this.#queue;
    if (waiting > 0 && waiting + answers.length > maxWaiting) {
      throw busyError(this.directory, waiting);
    }
    const encoded = answers.map((answer) => prepareAnswer(answer, keeps(answer)));
    return this.#queue.push({ answers: encoded, size: encoded.length, alone: false });
  }

  /** Notes in the chain that the payloads under a tag are erased; `eraseTenant` then erases them. */
  async appendErasure(tenantTag: string): Promise<number> {
    const records = this.#state.recordsByTag.get(tenantTag) ?? 0;
    await this.#pushNote({ kind: 'erasure', tenantTag, records });
    return records;
  }

  /**
   * Puts a digest into the chain, once in the life of the log, and resolves when the chain has it:
   * whatever is appended afterwards stands behind it.
   *
   * @param digest 64 hexadecimal digits
   * @throws TouchmarkError INPUT_INVALID for another digest; else as `append`
   */
  async seal(what: SealedKind, digest: string): Promise<void> {
    if (!/^[0-9a-f]{64}$/.test(digest)) {
      throw new TouchmarkError('INPUT_INVALID', `The digest to seal of the ${what} is malformed.`, {
        hint: 'Give 64 hexadecimal digits in lower case.',
      });
    }
    this.#requireOpen();
    const name = sealName(what, digest);
    if (this.#state.seals.has(name)) return;
    const sealing = this.#sealing.get(name) ?? this.#pushNote({ kind: 'sealed', what, digest });
    this.#sealing.set(name, sealing);
    try {
      await sealing;
      this.#state.seals.add(name);
    } finally {
      this.#sealing.delete(name);
    }
  }

  /**
   * Removes payload files of segments whose entries are all from before a time, once the chain says so
   * durably, and returns what expired. The chain and its proofs stay; what the payloads could show in
   * an audit is gone, and questions of theirs that come again look like new ones.
   *
   * @throws TouchmarkError as `append`
   */
  async expire(before: Date): Promise<Expiry> {
    this.#requireOpen();
    const work = { expireBefore: before, size: 1, alone: true };
    const [records = 0, segments = 0, through] = await this.#queue.push(work);
    return { records, segments, ...(through !== undefined && { through }) };
  }

  /** Yields a tenant's records in served order; see `readServingLog`. */
  read(selection: RecordSelection): AsyncGenerator<ServedRecord> {
    return readServingLog(this.directory, selection);
  }

  /** Writes a checkpoint when the newest does not cover the chain, as after a crash. */
  async catchUp(): Promise<void> {
    if (!this.#failure && this.#head.size > this.#checkpointed) await this.#checkpoint();
  }

  /** Resolves when everything acknowledged so far survives a power cut. */
  async sync(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    try {
      await this.#files.sync();
    } catch (cause) {
      if (TouchmarkError.isInstance(cause)) this.fail(cause);
      throw cause;
    }
  }

  /** Writes what is waiting and a last checkpoint, makes all of it durable, and gives up the lock. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Stops the log: every later append is refused with `error`. */
  fail(error: TouchmarkError): void {
    this.#failure ??= error;
  }

  /** Before which time payloads are to expire, by the log's clock and `retentionDays`. */
  retentionLimit(): Date {
    const { retentionDays = Number.POSITIVE_INFINITY } = this.#settings;
    return new Date(Math.max(0, Date.parse(this.#now()) - retentionDays * dayMilliseconds));
  }

  async #close(): Promise<void> {
    try {
      await this.#queue.idle();
      clearTimeout(this.#syncTimer);
      await this.catchUp();
      await this.#files.close();
    } finally {
      await this.#release();
    }
  }

  #requireOpen(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closing) throw closedError(this.directory);
  }

  #pushNote(note: UntimedNote): Promise<readonly number[]> {
    this.#requireOpen();
    return this.#queue.push({ note, size: 1, alone: false });
  }

  async #write(works: readonly LogWork[]): Promise<readonly (readonly number[])[]> {
    if (this.#failure) throw this.#failure;
    try {
      const [first] = works;
      return first && 'expireBefore' in first
        ? [await this.#expire(first.expireBefore)]
        : await this.#append(works);
    } catch (cause) {
      this.#failUnlessFull(cause);
      throw cause;
    }
  }

  async #append(works: readonly LogWork[]): Promise<readonly (readonly number[])[]> {
    const at = this.#now();
    await this.#rotate(at);
    const tenants = works.flatMap((work) =>
      'answers' in work ? work.answers.map(({ tenant }) => tenant) : [],
    );
    const keys = await this.#keys.keysOf(new Set(tenants));
    const random = this.#settings.random(randomBytesPerAnswer * tenants.length);
    const batch = new Batch(this.#head, at, random);
    const sequences = works.map((work) => {
      if ('answers' in work) return batch.answers(work.answers, keys);
      return 'note' in work ? [batch.note(work.note)] : [];
    });
    await this.#commit(batch);
    return sequences;
  }

  /** Writes a batch, payloads first; the log's state moves only when all of it is written. */
  async #commit(batch: Batch): Promise<void> {
    await this.#files.append(batch.payloads, batch.chain);
    this.#head = batch.head;
    const { tree, segments, recordsByTag } = this.#state;
    tree.add(batch.entries);
    segments.add(batch.entries);
    for (const entry of batch.entries) {
      if (entry.kind === 'served') countRecord(recordsByTag, entry.tenantTag);
    }
    this.#syncTimer ??= setTimeout(() => {
      this.sync().catch((error) => this.fail(error));
    }, this.#settings.fsyncMilliseconds).unref();
  }

  /** Begins a new segment where one is due, and has payloads expire then. */
  async #rotate(at: string): Promise<void> {
    const { segmentRecords, segmentBytes, retentionDays } = this.#settings;
    const { entries, last } = this.#state.segments.current;
    const isFull = entries >= segmentRecords || this.#files.payloadBytes >= segmentBytes;
    if (last !== undefined && (isFull || dayOf(last.at) !== dayOf(at))) {
      await this.#beginSegment();
      this.#retentionDue = retentionDays !== undefined;
    }
    if (!this.#retentionDue) return;
    await this.#expire(this.retentionLimit());
    this.#retentionDue = false;
  }

  async #beginSegment(): Promise<void> {
    const { segments } = this.#state;
    const number = segments.current.number + 1;
    await this.#files.beginSegment(number);
    segments.begin(number);
  }

  /** Returns how many records and segments expired, and the last sequence among them. */
  async #expire(before: Date): Promise<readonly number[]> {
    const { segments } = this.#state;
    const { last } = segments.current;
    if (last !== undefined && Date.parse(last.at) < before.getTime()) await this.#beginSegment();
    const expiring = segments.endingBefore(before);
    const through = expiring.at(-1)?.last?.sequence;
    if (through === undefined) return [];
    const records = expiring.reduce((sum, { served }) => sum + served, 0);
    const batch = new Batch(this.#head, this.#now(), new Uint8Array());
    batch.note({ kind: 'expired', through, records });
    await this.#commit(batch);
    await this.sync();
    const removed = segments.removeThrough(through).map(({ number }) => number);
    await removePayloads(layoutOf(this.directory), removed);
    return [records, removed.length, through];
  }

  /** The time of the next entry: the clock's, unless that is earlier than the last entry's. */
  #now(): string {
    const now = this.#settings.clock().toISOString();
    const last = this.#state.segments.lastTime ?? now;
    return now < last ? last : now;
  }

  async #checkpointWhenDue(): Promise<void> {
    if (this.#failure) return;
    if (this.#head.size - this.#checkpointed < this.#settings.checkpointEvery) return;
    try {
      await this.#checkpoint();
    } catch (cause) {
      this.#failUnlessFull(cause);
    }
  }

  /** Without room nothing was written, so it can be tried again. */
  #failUnlessFull(cause: unknown): void {
    if (TouchmarkError.isInstance(cause) && cause.code !== 'STORE_FULL') this.fail(cause);
  }

  /** The chain is made durable first, so that a checkpoint never runs ahead of it. */
  async #checkpoint(): Promise<void> {
    const { clock, signingKey } = this.#settings;
    const { tree, identifier } = this.#state;
    const line = tree.checkpointLine(
      this.#head,
      clock(),
      signingKey && { identifier, key: signingKey },
    );
    await this.#files.sync();
    await this.#files.appendCheckpoint(line);
    this.#checkpointed = this.#head.size;
  }
}

function dayOf(time: string): string {
  return time.slice(0, 'YYYY-MM-DD'.length);
}

function busyError(directory: string, waiting: number): TouchmarkError {
  return new TouchmarkError(
    'STORE_BUSY',
    `${waiting} answers wait already to be written to the serving log ${directory}.`,
    { hint: 'Answers come faster than the disk takes them: try again in a moment, or slow down.' },
  );
}

function closedError(directory: string): TouchmarkError {
  return new TouchmarkError('USAGE', `The serving log ${directory} is closed.`, {
    hint: 'Open it again before appending.',
  });
}
