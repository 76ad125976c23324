import { TouchmarkError } from '../../errors.ts';
import { chainHashesAt } from '../../ledger/scan-log.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { readShippedFile } from '../../store/project-files.ts';
import { readTrapSetText } from '../../store/trap-sets.ts';
import { openTrapSet } from '../../traps/seal.ts';
import type { LotState, StockedSet } from '../../traps/stock.ts';
import { type SealedTrapSet, trapCount } from '../../traps/trap-set.ts';
import { openProject, openProjectRing, type Project, type ProjectOptions } from '../project.ts';
import {
  listSetFiles,
  openStockedSet,
  readTrapStock,
  requireCurrentLedger,
  trapFolders,
} from './stock.ts';
import { unknownSet } from './stock-writer.ts';

/** What verifying traps found, in plain data. */
export interface VerifiedTraps {
  readonly valid: boolean;
  /** What was checked and fits. */
  readonly fine: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Checks a shipped set against its own root: format, Merkle root and name. Its seal's HMAC is under
 * a key that is not public.
 *
 * @throws TouchmarkError USAGE when the package ships no such set
 */
export async function verifyShippedSet(name: string): Promise<VerifiedTraps> {
  if (!/^[a-z0-9-]+$/.test(name)) throw unknownSet(`builtin:${name}`);
  const text = await readShippedFile(`traps/${name}.json`).catch(() => {
    throw unknownSet(`builtin:${name}`);
  });
  return collect(async (fine) => {
    const { set, seal } = openTrapSet(text, `builtin:${name}`, undefined);
    fine.push(`builtin:${name}: ${trapCount(set)} ${set.kind} traps under the root ${seal.root}`);
  });
}

/**
 * Checks a project's traps, or one set of them: the ledger's chain, each file's format, root and
 * seal, that claims and files are on sets that the ledger knows, and that the log's chain has the
 * head that coin sets were sealed over. Breaks are returned, not thrown.
 */
export async function verifyTraps(
  options: ProjectOptions & { readonly set?: string },
): Promise<VerifiedTraps> {
  const project = await openProject(options);
  const keyRing = await openProjectRing(project);
  const folders = trapFolders(project);
  return collect(async (fine, problems) => {
    const files = await listSetFiles(folders);
    const stock = await readTrapStock(project);
    fine.push(`ledger: ${stock.sets.length} sets, chain complete`);
    const chosen = stock.sets.filter(({ sealed }) => (options.set ?? sealed.set) === sealed.set);
    if (options.set !== undefined && chosen.length === 0) throw unknownSet(options.set);
    if (options.set === undefined) {
      fine.push(...(await requireCurrentLedger(folders, keyRing, files, stock)));
      fine.push('claims: all on lots that the ledger knows');
    }
    const coins: SealedTrapSet[] = [];
    for (const stocked of chosen) {
      await check(problems, async () => {
        const opened = await openIfNeeded(stocked, folders, keyRing, fine);
        if (opened === undefined) return;
        if (opened.set.kind === 'coin') coins.push(opened);
        fine.push(`${opened.seal.id}: ${trapCount(opened.set)} traps, root and seal fit`);
      });
    }
    await check(problems, () => checkLog(project, keyRing, coins, fine, problems));
  });
}

/** A file that nobody will need again is no break, whatever became of it. */
async function openIfNeeded(
  { sealed, lots }: StockedSet,
  folders: ReturnType<typeof trapFolders>,
  keyRing: KeyRing,
  fine: string[],
): Promise<SealedTrapSet | undefined> {
  const isInUse = lots.some(({ state }) => state === 'active');
  const wasShown = lots.some((lot) => lot.state === 'exposed' || isRetiredAsShown(lot));
  const isThere = (await readTrapSetText(folders, sealed.set)) !== undefined;
  if (!isInUse && (!wasShown || !isThere)) {
    fine.push(`${sealed.set}: retired, its file is not needed any more`);
    return undefined;
  }
  return openStockedSet(folders, keyRing, sealed);
}

function isRetiredAsShown(lot: LotState): boolean {
  return lot.state === 'retired' && lot.why === 'exposed';
}

async function checkLog(
  { config }: Project,
  keyRing: KeyRing,
  sets: readonly SealedTrapSet[],
  fine: string[],
  problems: string[],
): Promise<void> {
  if (sets.length === 0) return;
  const { directory } = config.log;
  const coins = sets.flatMap(({ set, seal }) => (set.kind === 'coin' ? [{ set, seal }] : []));
  const hashes = await chainHashesAt(directory, new Set(coins.map(({ set }) => set.log.entries)));
  for (const { set, seal } of coins) {
    if (keyRing.commitment(set.tenant, set.epoch) !== set.epochCommitment) {
      problems.push(
        `${seal.id}: ${set.tenant} ${set.epoch} has another key than it was sealed for.`,
      );
    } else if (hashes.get(set.log.entries) !== set.log.head) {
      problems.push(`${seal.id}: the serving log ${directory} is not the one it was sealed over.`);
    } else fine.push(`${seal.id}: the serving log has the head it was sealed over`);
  }
}

async function collect(
  work: (fine: string[], problems: string[]) => Promise<void>,
): Promise<VerifiedTraps> {
  const fine: string[] = [];
  const problems: string[] = [];
  await check(problems, () => work(fine, problems));
  return { valid: problems.length === 0, fine, problems };
}

async function check(problems: string[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause) || cause.code === 'USAGE') throw cause;
    problems.push(cause.message);
  }
}
