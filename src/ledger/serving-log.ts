import { type KeyObject, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import {
  type ChainEntry,
  type ChainHead,
  type ChainNote,
  commitToPayload,
  entryLine,
  headAfter,
  nextEntry,
  type SealedKind,
} from './chain.ts';
import { guarded } from './files.ts';
import { layoutOf } from './layout.ts';
import { lockDirectory } from './lock.ts';
import { LogFiles } from './log-files.ts';
import { encodeRecord, saltBytes, sealPayload, type UnnumberedRecord } from './payload.ts';
import {
  createPayloadKey,
  loadPayloadKey,
  type PayloadKey,
  type RandomSource,
} from './payload-keys.ts';
import { type RecordSelection, readServingLog } from './read-log.ts';
import {
  countRecord,
  type LogState,
  prepareDirectory,
  type Recovery,
  recover,
  sealName,
} from './recover.ts';

/** Settings of a serving log; all have defaults. */
export interface ServingLogOptions {
  readonly clock?: () => Date;
  readonly random?: RandomSource;
  /** The Ed25519 private key that signs checkpoints; without it they are not signed. */
  readonly signingKey?: KeyObject;
  /** Entries between Merkle checkpoints. */
  readonly checkpointEvery?: number;
  /** Entries after which a new segment is begun. */
  readonly segmentRecords?: number;
  /** Longest time before written records survive a power cut as well. */
  readonly fsyncMilliseconds?: number;
}

type Settings = Required<Omit<ServingLogOptions, 'signingKey'>> &
  Pick<ServingLogOptions, 'signingKey'>;

type Untimed<Note> = Note extends ChainNote ? Omit<Note, 'at'> : never;
type UntimedNote = Untimed<Exclude<ChainNote, { kind: 'served' }>>;

interface Waiting {
  readonly records: readonly UnnumberedRecord[] | UntimedNote;
  readonly resolve: (sequences: number[]) => void;
  readonly reject: (error: unknown) => void;
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
  const settings = {
    clock: () => new Date(),
    random: randomBytes,
    checkpointEvery: 1024,
    segmentRecords: 10_000,
    fsyncMilliseconds: 100,
    ...options,
  };
  const layout = layoutOf(directory);
  await guarded('make', directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  let loseLock = (_: TouchmarkError): void => undefined;
  const release = await lockDirectory(directory, settings.clock(), (error) => loseLock(error));
  try {
    const header = await prepareDirectory(layout, settings.random);
    const state = await recover(layout, header);
    const files = await LogFiles.open(layout, state.segment);
    const log = new ServingLog(directory, settings, state, files, release);
    loseLock = (error) => log.fail(error);
    if (settings.signingKey) await log.catchUp();
    return log;
  } catch (cause) {
    await release();
    throw cause;
  }
}

/**
 * The log of what was served: a hash chain of salted commitments, with payloads beside it that are
 * encrypted per tenant. When `append` resolves, the records outlive this process, however it ends;
 * after `fsyncMilliseconds` at most they outlive a power cut.
 */
export class ServingLog {
  readonly directory: string;
  /** What opening had to mend. */
  readonly recovery: Recovery;
  readonly #settings: Settings;
  readonly #state: LogState;
  readonly #files: LogFiles;
  readonly #release: () => Promise<void>;
  readonly #keys = new Map<string, PayloadKey>();
  readonly #seals: Map<string, Promise<unknown>>;
  #head: ChainHead;
  #checkpointed: number;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #failure: TouchmarkError | undefined;
  #closing: Promise<void> | undefined;

  /** Use `openServingLog`. */
  constructor(
    directory: string,
    settings: Settings,
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
    this.#seals = new Map([...state.seals].map((name) => [name, Promise.resolve()]));
    this.#head = state.head;
    this.#checkpointed = settings.signingKey ? state.signed : state.checkpointed;
  }

  /** Entries of the chain so far, erasure notes and sealed digests included. */
  get count(): number {
    return this.#head.size;
  }

  /** The end of the chain. */
  get head(): ChainHead {
    return this.#head;
  }

  /**
   * Appends records in order and resolves to their sequences once they are written. Appends of the
   * same moment share one write.
   *
   * @throws TouchmarkError STORE_FULL when there is no room: nothing was appended, and appending may
   *   be tried again; any other code means that the log must be opened anew
   */
  append(records: readonly UnnumberedRecord[]): Promise<number[]> {
    return records.length === 0 ? Promise.resolve([]) : this.#enqueue(records);
  }

  /** Notes in the chain that the payloads under a tag are erased; `eraseTenant` then erases them. */
  async appendErasure(tenantTag: string): Promise<number> {
    const records = this.#state.recordsByTag.get(tenantTag) ?? 0;
    await this.#enqueue({ kind: 'erasure', tenantTag, records });
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
    const name = sealName(what, digest);
    const sealed = this.#seals.get(name) ?? this.#enqueue({ kind: 'sealed', what, digest });
    this.#seals.set(name, sealed);
    try {
      await sealed;
    } catch (cause) {
      this.#seals.delete(name);
      throw cause;
    }
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

  async #close(): Promise<void> {
    try {
      await this.#draining;
      clearTimeout(this.#syncTimer);
      await this.catchUp();
      await this.#files.close();
    } finally {
      await this.#release();
    }
  }

  #enqueue(records: Waiting['records']): Promise<number[]> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closing) return Promise.reject(closedError(this.directory));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    await setImmediate();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        if (this.#failure) throw this.#failure;
        const sequences = await this.#write(batch);
        for (const [index, { resolve }] of batch.entries()) resolve(sequences[index] ?? []);
        if (this.#head.size - this.#checkpointed >= this.#settings.checkpointEvery) {
          await this.#checkpoint();
        }
      } catch (cause) {
        if (TouchmarkError.isInstance(cause) && cause.code !== 'STORE_FULL') this.fail(cause);
        for (const { reject } of batch) reject(cause);
      }
    }
    this.#draining = undefined;
  }

  /** Writes one batch, payloads first; the log's state moves only when all of it is written. */
  async #write(batch: readonly Waiting[]): Promise<number[][]> {
    const entries: ChainEntry[] = [];
    const payloads = new Map<string, string[]>();
    let head = this.#head;
    const link = (note: ChainNote) => {
      const entry = nextEntry(head, note);
      entries.push(entry);
      head = headAfter(entry);
      return entry.sequence;
    };
    const at = this.#settings.clock().toISOString();
    const sequences: number[][] = [];
    for (const { records } of batch) {
      if ('kind' in records) {
        sequences.push([link({ ...records, at })]);
        continue;
      }
      const own: number[] = [];
      for (const record of records) {
        const { tenant } = record;
        const key = this.#keys.get(tenant) ?? (await this.#keyOf(tenant));
        const payload = encodeRecord(record);
        const salt = this.#settings.random(saltBytes);
        const commitment = commitToPayload(salt, payload);
        const sequence = link({ kind: 'served', at, tenantTag: key.tag, commitment });
        const nonce = this.#settings.random(12);
        const sealed = sealPayload({ key: key.key, tenant, sequence, nonce, salt, payload });
        const lines = payloads.get(tenant) ?? [];
        lines.push(`${JSON.stringify(sealed)}\n`);
        payloads.set(tenant, lines);
        own.push(sequence);
      }
      sequences.push(own);
    }
    const chain = entries.map((entry) => `${entryLine(entry)}\n`);
    await this.#files.append(payloads, chain, this.#settings.segmentRecords);
    this.#head = head;
    this.#state.tree.add(entries);
    for (const entry of entries) {
      if (entry.kind === 'served') countRecord(this.#state.recordsByTag, entry.tenantTag);
    }
    this.#syncTimer ??= setTimeout(() => {
      this.sync().catch((error) => this.fail(error));
    }, this.#settings.fsyncMilliseconds).unref();
    return sequences;
  }

  async #keyOf(tenant: string): Promise<PayloadKey> {
    const layout = layoutOf(this.directory);
    const key =
      (await loadPayloadKey(layout, tenant)) ??
      (await createPayloadKey(layout, tenant, this.#settings.random));
    this.#keys.set(tenant, key);
    return key;
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

function closedError(directory: string): TouchmarkError {
  return new TouchmarkError('USAGE', `The serving log ${directory} is closed.`, {
    hint: 'Open it again before appending.',
  });
}
