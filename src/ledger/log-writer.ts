import type { TouchmarkError } from '../errors.ts';
import { Batch, type EncodedAnswer, randomBytesPerAnswer, type UntimedNote } from './batch.ts';
import type { ChainHead } from './chain.ts';
import { removePayloads } from './expiry.ts';
import type { Layout } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { countRecord, type LogState } from './recover.ts';
import type { ServingLogSettings } from './serving-log-options.ts';

const dayMilliseconds = 86_400_000;

/** What to append: answers, or a note. */
export type Appendix =
  | { readonly answers: readonly EncodedAnswer[] }
  | { readonly note: UntimedNote };

/** What expired. */
export interface Expiry {
  /** The last sequence among them; absent when nothing expired. */
  readonly through?: number;
  /** Served records whose payloads were still kept. */
  readonly records: number;
  readonly segments: number;
}

/** Writes a serving log, one thing after the other: nothing here may be called before the last is done. */
export class LogWriter {
  readonly #layout: Layout;
  readonly #settings: ServingLogSettings;
  readonly #state: LogState;
  readonly #files: LogFiles;
  readonly #onFailure: (error: TouchmarkError) => void;
  #head: ChainHead;
  #checkpointed: number;
  #retentionDue = false;
  #syncTimer: NodeJS.Timeout | undefined;

  private constructor(options: {
    readonly layout: Layout;
    readonly settings: ServingLogSettings;
    readonly state: LogState;
    readonly files: LogFiles;
    readonly onFailure: (error: TouchmarkError) => void;
  }) {
    const { layout, settings, state, files, onFailure } = options;
    this.#layout = layout;
    this.#settings = settings;
    this.#state = state;
    this.#files = files;
    this.#onFailure = onFailure;
    this.#head = state.head;
    this.#checkpointed = settings.signingKey ? state.signed : state.checkpointed;
  }

  /**
   * Opens the files of a log where recovery found its end.
   *
   * @param options.onFailure hears of the failure of a sync that nobody waits for
   */
  static async open(options: {
    readonly layout: Layout;
    readonly settings: ServingLogSettings;
    readonly state: LogState;
    readonly onFailure: (error: TouchmarkError) => void;
  }): Promise<LogWriter> {
    const { layout, state } = options;
    const files = await LogFiles.open(layout, state.segments.current.number);
    return new LogWriter({ ...options, files });
  }

  get head(): ChainHead {
    return this.#head;
  }

  /** Served records under a tag. */
  recordsOf(tenantTag: string): number {
    return this.#state.recordsByTag.get(tenantTag) ?? 0;
  }

  /** Writes answers and notes together, and returns the sequences of each; nothing when it throws. */
  async append(works: readonly Appendix[]): Promise<readonly (readonly number[])[]> {
    const at = this.#now();
    await this.#rotate(at);
    const count = works.reduce(
      (sum, work) => sum + ('answers' in work ? work.answers.length : 0),
      0,
    );
    const random = this.#settings.random(randomBytesPerAnswer * count);
    const batch = new Batch(this.#head, at, random);
    const sequences = works.map((work) => {
      return 'answers' in work ? batch.answers(work.answers) : [batch.note(work.note)];
    });
    await this.#commit(batch);
    return sequences;
  }

  /** Has payloads expire whose segments end before a time; see `ServingLog.expire`. */
  async expire(before: Date): Promise<Expiry> {
    const { segments } = this.#state;
    const { last, served } = segments.current;
    const isOver = last !== undefined && last.time < before.getTime();
    if (isOver && served > 0) await this.#beginSegment();
    const expiring = segments.endingBefore(before);
    const through = expiring.findLast((segment) => segment.served > 0)?.last?.sequence;
    if (through === undefined) return { records: 0, segments: 0 };
    const records = expiring.reduce((sum, segment) => sum + segment.served, 0);
    const at = this.#now();
    if (this.#isNewDay(at)) await this.#beginSegment();
    const batch = new Batch(this.#head, at, new Uint8Array());
    batch.note({ kind: 'expired', through, records });
    await this.#commit(batch);
    await this.sync();
    const removed = segments.removeThrough(through).map(({ number }) => number);
    await removePayloads(this.#layout, removed);
    return { through, records, segments: removed.length };
  }

  /** Has payloads expire that are older than `retentionDays`. */
  async expireByAge(): Promise<void> {
    const { retentionDays } = this.#settings;
    if (retentionDays === undefined) return;
    await this.expire(new Date(Date.parse(this.#now()) - retentionDays * dayMilliseconds));
  }

  /** Writes a checkpoint when one is due. */
  async checkpointWhenDue(): Promise<void> {
    if (this.#head.size - this.#checkpointed >= this.#settings.checkpointEvery) {
      await this.#checkpoint();
    }
  }

  /** Writes a checkpoint when the newest does not cover the chain. */
  async catchUp(): Promise<void> {
    if (this.#head.size > this.#checkpointed) await this.#checkpoint();
  }

  /** Makes everything written so far survive a power cut. */
  async sync(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    await this.#files.sync();
  }

  /** Makes everything durable and lets go of the files. */
  async close(): Promise<void> {
    clearTimeout(this.#syncTimer);
    await this.#files.close();
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
      this.sync().catch(this.#onFailure);
    }, this.#settings.fsyncMilliseconds).unref();
  }

  /** Begins a new segment where one is due, and has payloads expire then. */
  async #rotate(at: string): Promise<void> {
    const { segmentRecords, segmentBytes, retentionDays } = this.#settings;
    const { entries, last } = this.#state.segments.current;
    const isFull = entries >= segmentRecords || this.#files.payloadBytes >= segmentBytes;
    if (last !== undefined && (isFull || this.#isNewDay(at))) {
      await this.#beginSegment();
      this.#retentionDue = retentionDays !== undefined;
    }
    if (!this.#retentionDue) return;
    await this.expireByAge();
    this.#retentionDue = false;
  }

  /** Whether the segment's entries are from another day (UTC). */
  #isNewDay(at: string): boolean {
    const { last } = this.#state.segments.current;
    return last !== undefined && dayOf(last.time) !== dayOf(Date.parse(at));
  }

  async #beginSegment(): Promise<void> {
    const { segments } = this.#state;
    const number = segments.current.number + 1;
    await this.#files.beginSegment(number);
    segments.begin(number);
  }

  /** The time of the next entry: the clock's, unless that is earlier than the last entry's. */
  #now(): string {
    const now = this.#settings.clock().getTime();
    return new Date(Math.max(now, this.#state.segments.lastTime)).toISOString();
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

/** Returns the day (UTC) of a time in milliseconds, counted from 1970. */
function dayOf(time: number): number {
  return Math.floor(time / dayMilliseconds);
}
