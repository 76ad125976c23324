import { join } from 'node:path';
import { TouchmarkError } from '../../errors.ts';
import { readTrapLedger } from '../../ledger/trap-ledger.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { readClaims } from '../../store/trap-exposures.ts';
import {
  listTrapSets,
  readTrapSetText,
  type TrapSetFolders,
  trapSetPath,
} from '../../store/trap-sets.ts';
import type { TrapEventOf } from '../../traps/events.ts';
import { openTrapSet } from '../../traps/seal.ts';
import { foldStock, type TrapStock } from '../../traps/stock.ts';
import type { SealedTrapSet } from '../../traps/trap-set.ts';
import type { Project } from '../project.ts';

/** Where a project keeps everything about its traps. */
export interface TrapFolders extends TrapSetFolders {
  /** The ledger and its lock. */
  readonly ledger: string;
  readonly exposures: string;
}

/** Returns the folders of a project's traps. */
export function trapFolders({ directory }: Pick<Project, 'directory'>): TrapFolders {
  const ledger = join(directory, '.touchmark', 'traps');
  return {
    ledger,
    sealed: join(directory, 'traps'),
    drafts: join(ledger, 'drafts'),
    exposures: join(ledger, 'exposures'),
  };
}

/**
 * Returns a project's stock of traps as ledger and claim files say. Needs no lock: claims are read
 * before the ledger, which named their sets before anybody could claim them.
 *
 * @throws TouchmarkError LOG_INVALID naming the line of the ledger that does not fit
 */
export async function readTrapStock(project: Pick<Project, 'directory'>): Promise<TrapStock> {
  const folders = trapFolders(project);
  const claims = await readClaims(folders.exposures);
  const { events } = await readTrapLedger(folders.ledger);
  return foldStock(events, claims);
}

/**
 * Returns a set that the ledger knows, checked against its seal and against the ledger.
 *
 * @throws TouchmarkError TRAP_SET_INVALID naming what does not fit
 */
export async function openStockedSet(
  folders: TrapSetFolders,
  keyRing: KeyRing,
  { set, root }: TrapEventOf<'sealed'>,
): Promise<SealedTrapSet> {
  const path = trapSetPath(folders, set);
  const text = await readTrapSetText(folders, set);
  if (text === undefined) {
    throw new TouchmarkError('TRAP_SET_INVALID', `The trap set ${path} is missing.`, {
      hint: 'Restore the file from a copy. Until then none of its traps is used, and rotation builds others.',
    });
  }
  const opened = openTrapSet(text, path, keyRing.sealingKey());
  if (opened.seal.root === root && opened.seal.id === set) return opened;
  throw new TouchmarkError('TRAP_SET_INVALID', `${path} is not the set that the ledger names.`, {
    hint: 'Another set was put in its place. Restore the file from a copy.',
  });
}

/**
 * Refuses to write when the ledger is older than what it should know: claims on sets that it does
 * not name, or set files sealed by the same owner. Building on it could show a trap twice.
 *
 * @returns a notice for each file in `traps/` that nobody knows; it is left alone
 * @throws TouchmarkError LOG_INVALID naming the claims or the file
 */
export async function requireCurrentLedger(
  folders: TrapFolders,
  keyRing: KeyRing,
  files: readonly string[],
  { sets, orphanClaims }: TrapStock,
): Promise<string[]> {
  const [orphan] = orphanClaims;
  if (orphan) {
    throw olderLedger(
      `${folders.exposures} has ${orphanClaims.length} claims on lots that the trap ledger does not know, such as lot ${orphan.lot} of ${orphan.set}.`,
    );
  }
  const known = new Set(sets.map(({ sealed }) => sealed.set));
  const notices: string[] = [];
  for (const file of files.filter((each) => !known.has(each))) {
    const path = trapSetPath(folders, file);
    const text = await readTrapSetText(folders, file);
    if (text === undefined) continue;
    if (opens(text, path, keyRing)) {
      throw olderLedger(`${path} was sealed by this owner, but the trap ledger does not know it.`);
    }
    notices.push(`${path} is no set of this project's; it is not used and was left alone.`);
  }
  return notices;
}

/** Returns the names of the set files; read them before the ledger, which names a set first. */
export function listSetFiles(folders: TrapSetFolders): Promise<string[]> {
  return listTrapSets(folders);
}

function opens(text: string, path: string, keyRing: KeyRing): boolean {
  try {
    openTrapSet(text, path, keyRing.sealingKey());
    return true;
  } catch (cause) {
    if (TouchmarkError.isInstance(cause)) return false;
    throw cause;
  }
}

function olderLedger(message: string): TouchmarkError {
  return new TouchmarkError('LOG_INVALID', message, {
    hint: 'An older ledger was put in place of the last one, or a set was copied from another project. Restore the newest ledger.jsonl, or move these files away for good; nothing is built or reused until then.',
  });
}
