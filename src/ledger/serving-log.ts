import { mkdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { LoggedAnswer, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { AnswerLog } from './answer-log.ts';
import type { EncodedAnswer, UntimedNote } from './batch.ts';
import type { ChainHead, SealedKind } from './chain.ts';
import { guarded } from './files.ts';
import { KeyCache } from './key-cache.ts';
import { layoutOf } from './layout.ts';
import { lockDirectory } from './lock.ts';
import { type Appendix, type Expiry, LogWriter } from './log-writer.ts';
import type { PayloadKey } from './payload-keys.ts';
import { type RecordSelection, readServingLog } from './read-log.ts';
import { prepareDirectory, type Recovery, recover, sealName } from './recover.ts';
import {
  defaults,
  type ServingLogOptions,
  type ServingLogSettings,
} from './serving-log-options.ts';
import { encodeAnswer } from './text-payload.ts';
import { type Work, WriteQueue } from './write-queue.ts';

/** Written in one go, so that writing many holds up other work for some milliseconds at most. */
const recordsPerWrite = 128;

/** What the log's one writer does next: append, or something that no append may run beside. */
type LogWork = Work & (Appendix | { readonly run: () => Promise<void> });

/** An answer whose tenant's key is not at hand yet. */
interface Arriving extends Omit<EncodedAnswer, 'key'> {
  readonly tenant: string;
}

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
  let fail = (_: TouchmarkError): void => undefined;
  const onFailure = (error: TouchmarkError) => fail(error);
  const release = await lockDirectory(directory, settings.clock(), onFailure);
  try {
    const header = await prepareDirectory(layout, settings.random);
    const state = await recover(layout, header);
    const writer = await LogWriter.open({ layout, settings, state, onFailure });
    if (settings.signingKey) await writer.catchUp();
    await writer.expireByAge();
    const log = new ServingLog({
      directory,
      settings,
      recovery: state.recovery,
      seals: state.seals,
      writer,
      release,
    });
    fail = (error) => log.fail(error);
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
  readonly #writer: LogWriter;
  readonly #release: () => Promise<void>;
  readonly #queue: WriteQueue<LogWork>;
  readonly #seals: Set<string>;
  readonly #sealing = new Map<string, Promise<unknown>>();
  readonly #keys: KeyCache;
  /** Answers that wait for keys. */
  #arriving = 0;
  #loading: Promise<unknown> = Promise.resolve();
  #failure: TouchmarkError | undefined;
  #closing: Promise<void> | undefined;

  /** Use `openServingLog`. */
  constructor(options: {
    readonly directory: string;
    readonly settings: ServingLogSettings;
    readonly recovery: Recovery;
    readonly seals: Set<string>;
    readonly writer: LogWriter;
    readonly release: () => Promise<void>;
  }) {
    this.directory = options.directory;
    this.recovery = options.recovery;
    this.#settings = options.settings;
    this.#writer = options.writer;
    this.#release = options.release;
    this.#seals = options.seals;
    this.#keys = new KeyCache(layoutOf(options.directory), options.settings.random);
    this.#queue = new WriteQueue<LogWork>({
      write: (works) => this.#guard(() => this.#write(works)),
      afterWrite: () => this.#checkpointWhenDue(),
      recordsPerWrite,
    });
  }

  /** Entries of the chain so far, those of every kind. */
  get count(): number {
    return this.#writer.head.size;
  }

  /** The end of the chain. */
  get head(): ChainHead {
    return this.#writer.head;
  }

  /** Records that wait to be written, or are being written. */
  get waiting(): number {
    return this.#queue.waiting + this.#arriving;
  }

  /**
   * Appends answers in order and resolves to their sequences once they are written. Appends of the
   * same moment share one write; one for a tenant whose key has to be fetched comes after others.
   *
   * @throws TouchmarkError STORE_BUSY at once, when more than `maxWaiting` would wait; STORE_FULL when
   *   there is no room. Nothing was appended then, and appending may be tried again; any other code
   *   means that the log must be opened anew
   */
  async append(answers: readonly LoggedAnswer[]): Promise<readonly number[]> {
    if (answers.length === 0) return [];
    this.#requireOpen();
    const waiting = this.#queue.waiting + this.#arriving;
    if (waiting > 0 && waiting + answers.length > this.#settings.maxWaiting) {
      throw busyError(this.directory, waiting);
    }
    const { keeps } = this.#settings;
    const encoded: EncodedAnswer[] = [];
    const arriving: Arriving[] = answers.map((answer) => {
      const key = this.#keys.find(answer.tenant);
      const bytes = { payload: encodeAnswer(answer), kept: keeps(answer) };
      if (key !== undefined) encoded.push({ key, ...bytes });
      return { tenant: answer.tenant, ...bytes };
    });
    const isReady = encoded.length === answers.length;
    return isReady ? this.#pushAnswers(encoded) : this.#arrive(arriving);
  }

  /** Notes in the chain that the payloads under a tag are erased; `eraseTenant` then erases them. */
  async appendErasure(tenantTag: string): Promise<number> {
    const records = this.#writer.recordsOf(tenantTag);
    await this.#pushNote({ kind: 'erasure', tenantTag, records });
    return records;
  }

  /** Says whether the chain has a digest. */
  hasSealed(what: SealedKind, digest: string): boolean {
    return this.#seals.has(sealName(what, digest));
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
    if (this.#seals.has(name)) return;
    const sealing = this.#sealing.get(name) ?? this.#pushNote({ kind: 'sealed', what, digest });
    this.#sealing.set(name, sealing);
    try {
      await sealing;
      this.#seals.add(name);
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
    let expiry: Expiry = { records: 0, segments: 0 };
    const run = async () => {
      expiry = await this.#writer.expire(before);
    };
    await this.#queue.push({ run, size: 1, alone: true });
    return expiry;
  }

  /** Yields a tenant's records in served order; see `readServingLog`. */
  read(selection: RecordSelection): AsyncGenerator<ServedRecord> {
    return readServingLog(this.directory, selection);
  }

  /** Resolves when everything acknowledged so far survives a power cut. */
  sync(): Promise<void> {
    return this.#guard(() => this.#writer.sync());
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

  async #close(): Promise<void> {
    try {
      await this.#loading;
      await setImmediate();
      await this.#queue.idle();
      try {
        if (!this.#failure) await this.#writer.catchUp();
      } finally {
        await this.#writer.close();
      }
    } finally {
      await this.#release();
    }
  }

  #requireOpen(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closing) throw closedError(this.directory);
  }

  /** Answers of tenants whose keys have to be fetched join the queue later than others. */
  async #arrive(answers: readonly Arriving[]): Promise<readonly number[]> {
    this.#arriving += answers.length;
    let keys: ReadonlyMap<string, PayloadKey>;
    const loading = this.#keys.load(answers.map(({ tenant }) => tenant));
    this.#loading = Promise.allSettled([this.#loading, loading]);
    try {
      keys = await loading;
    } finally {
      this.#arriving -= answers.length;
    }
    return this.#pushAnswers(answers.map((each) => ({ ...each, key: keys.get(each.tenant)! })));
  }

  #pushAnswers(answers: readonly EncodedAnswer[]): Promise<readonly number[]> {
    return this.#queue.push({ answers, size: answers.length, alone: false });
  }

  #pushNote(note: UntimedNote): Promise<readonly number[]> {
    this.#requireOpen();
    return this.#queue.push({ note, size: 1, alone: false });
  }

  async #write(works: readonly LogWork[]): Promise<readonly (readonly number[])[]> {
    if (this.#failure) throw this.#failure;
    const appendices: Appendix[] = [];
    for (const work of works) {
      if ('run' in work) await work.run();
      else appendices.push(work);
    }
    return appendices.length === 0 ? [] : this.#writer.append(appendices);
  }

  async #checkpointWhenDue(): Promise<void> {
    if (this.#failure) return;
    await this.#guard(() => this.#writer.checkpointWhenDue()).catch(() => undefined);
  }

  /** Without room nothing was written, so it can be tried again; whatever else goes wrong stops the log. */
  async #guard<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (cause) {
      if (TouchmarkError.isInstance(cause) && cause.code !== 'STORE_FULL') this.fail(cause);
      throw cause;
    }
  }
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
