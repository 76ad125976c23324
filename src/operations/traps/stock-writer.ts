import { TouchmarkError } from '../../errors.ts';
import { openTrapLedger, type TrapLedger } from '../../ledger/trap-ledger.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { readClaims } from '../../store/trap-exposures.ts';
import { discardDraft, draftTrapSet, listDrafts, publishTrapSet } from '../../store/trap-sets.ts';
import type { Retirement, TrapEvent } from '../../traps/events.ts';
import { eventTime } from '../../traps/rotation.ts';
import { sealTrapSet } from '../../traps/seal.ts';
import { foldStock, type TrapStock } from '../../traps/stock.ts';
import type { SealedTrapSet, TrapSet } from '../../traps/trap-set.ts';
import type { Project } from '../project.ts';
import { type TrapFolders, trapFolders } from './stock.ts';

/** How long a command waits while another process writes to the stock. */
const patienceMilliseconds = 5_000;

/** The stock of a project, held under its lock. */
export class StockWriter {
  readonly folders: TrapFolders;
  readonly #ledger: TrapLedger;

  private constructor(folders: TrapFolders, ledger: TrapLedger) {
    this.folders = folders;
    this.#ledger = ledger;
  }

  /**
   * Takes the lock, and finishes what a crash left: publishes sets that the ledger names, removes
   * drafts that it does not, notes claims that it has not noted.
   *
   * @throws TouchmarkError STORE_LOCKED naming the process that has the lock; LOG_INVALID; STORE_FULL
   *   or STORE_DAMAGED
   */
  static async open(
    project: Pick<Project, 'directory'>,
    now: Date,
    waitMilliseconds = patienceMilliseconds,
  ): Promise<StockWriter> {
    const folders = trapFolders(project);
    const ledger = await openTrapLedger(folders.ledger, { now, waitMilliseconds });
    const writer = new StockWriter(folders, ledger);
    try {
      await writer.#finish(now);
      return writer;
    } catch (cause) {
      await ledger.close();
      throw cause;
    }
  }

  /** The stock as it is now; claims are made without the lock, so they are read again each time. */
  async stock(): Promise<TrapStock> {
    return foldStock(this.#ledger.events, await readClaims(this.folders.exposures));
  }

  /** Appends events; see `TrapLedger.append`. */
  async append(events: readonly TrapEvent[]): Promise<void> {
    await this.#ledger.append(events);
  }

  /**
   * Seals a set and stores it: draft on disk, then its line in the ledger, then its place in
   * `traps/`. A crash before the line leaves nothing, one after it is finished by the next writer.
   */
  async seal(set: TrapSet, keyRing: KeyRing, now: Date): Promise<SealedTrapSet> {
    const sealed = sealTrapSet(set, keyRing.sealingKey());
    const { id, root } = sealed.seal;
    const isCoin = set.kind === 'coin';
    try {
      await draftTrapSet(this.folders, id, `${JSON.stringify(sealed)}\n`);
    } catch (cause) {
      await discardDraft(this.folders, id).catch(() => undefined);
      throw cause;
    }
    await this.#ledger.append([
      {
        event: 'sealed',
        at: now.toISOString(),
        set: id,
        kind: set.kind,
        tenant: isCoin ? set.tenant : null,
        epoch: isCoin ? set.epoch : null,
        root,
        lots: set.lots.map(({ traps }) => traps.length),
        records: isCoin ? { from: set.from, through: set.through } : null,
        bansPerLot: set.expected.bansPerLot,
      },
    ]);
    await publishTrapSet(this.folders, id);
    return sealed;
  }

  /** Gives up the lock. */
  async close(): Promise<void> {
    await this.#ledger.close();
  }

  async #finish(now: Date): Promise<void> {
    const stock = await this.stock();
    const known = new Set(stock.sets.map(({ sealed }) => sealed.set));
    for (const draft of await listDrafts(this.folders)) {
      if (known.has(draft)) await publishTrapSet(this.folders, draft);
      else await discardDraft(this.folders, draft);
    }
    const at = eventTime(stock, now);
    await this.append(stock.unnotedClaims.map((claim) => ({ event: 'exposed', at, ...claim })));
  }
}

/** Holds the stock while `work` runs. */
export async function withStock<Value>(
  project: Pick<Project, 'directory'>,
  now: Date,
  work: (writer: StockWriter) => Promise<Value>,
  waitMilliseconds?: number,
): Promise<Value> {
  const writer = await StockWriter.open(project, now, waitMilliseconds);
  try {
    return await work(writer);
  } finally {
    await writer.close();
  }
}

/** Seals one set and puts it in stock. */
export function storeTrapSet(
  project: Pick<Project, 'directory'>,
  keyRing: KeyRing,
  set: TrapSet,
  now: Date,
): Promise<SealedTrapSet> {
  return withStock(project, now, (writer) => writer.seal(set, keyRing, now));
}

/**
 * Retires what is still active of a set, for good.
 *
 * @throws TouchmarkError USAGE when there is no such set
 */
export async function retireTrapSet(
  project: Pick<Project, 'directory'>,
  set: string,
  why: Retirement,
  now: Date,
): Promise<void> {
  await withStock(project, now, async (writer) => {
    const stock = await writer.stock();
    if (!stock.sets.some(({ sealed }) => sealed.set === set)) throw unknownSet(set);
    await writer.append([{ event: 'retired', at: eventTime(stock, now), set, lot: null, why }]);
  });
}

/** Returns the error for a set that the ledger does not name. */
export function unknownSet(set: string): TouchmarkError {
  return new TouchmarkError('USAGE', `There is no trap set "${set}".`, {
    hint: '`touchmark traps list` shows those there are.',
  });
}
