import { readServingLog } from '../../ledger/read-log.ts';
import { eventTime } from '../../traps/rotation.ts';
import { trapCommitments, trapOpenings } from '../../traps/seal.ts';
import type { StockedSet } from '../../traps/stock.ts';
import { encodeInput, type SealedTrapSet } from '../../traps/trap-set.ts';
import { openProject, openProjectRing, type Project, type ProjectOptions } from '../project.ts';
import { openStockedSet, readTrapStock, trapFolders } from './stock.ts';
import { unknownSet, withStock } from './stock-writer.ts';

/** One set as it may be shown: nothing in it is secret. */
export interface ListedSet {
  readonly set: string;
  readonly kind: 'coin' | 'region';
  readonly tenant: string | null;
  readonly epoch: string | null;
  readonly sealedAt: string;
  readonly root: string;
  readonly lots: { readonly active: number; readonly exposed: number; readonly retired: number };
  /** Traps in active lots. */
  readonly activeTraps: number;
  readonly bansPerLot: number;
}

/** Returns every set that was ever sealed, oldest first. @throws TouchmarkError LOG_INVALID */
export async function listTraps(options: ProjectOptions): Promise<ListedSet[]> {
  const { sets } = await readTrapStock(await openProject(options));
  return sets.map(listed);
}

/** A trap in clear: what its file holds, with the question and the answer of a coin trap. */
export interface RevealedTrap {
  readonly commitment: string;
  /** Opens the commitment; see `trapOpenings`. */
  readonly opening: string;
  readonly input?: ReturnType<typeof encodeInput>;
  /** What the protected model answered: its name, or for coin traps its place among the labels. */
  readonly label?: string | number;
}

/** A set in clear. */
export interface RevealedSet {
  readonly set: string;
  readonly root: string;
  readonly lots: readonly {
    readonly lot: number;
    readonly traps: readonly RevealedTrap[];
  }[];
}

/**
 * Returns traps of a set in clear, with their commitments, after retiring them. The questions of coin
 * traps come from the serving log, as far as it still has them.
 *
 * @param options.lots which lots; all of them by default
 *
 * @throws TouchmarkError USAGE for an unknown set, TRAP_SET_INVALID; nothing is retired then
 */
export async function revealTraps(
  options: ProjectOptions & {
    readonly set: string;
    readonly lots?: readonly number[];
    readonly now: Date;
  },
): Promise<RevealedSet> {
  const { set, lots, now } = options;
  const project = await openProject(options);
  const keyRing = await openProjectRing(project);
  const sealed = await withStock(project, now, async (writer) => {
    const stock = await writer.stock();
    const stocked = stock.sets.find((each) => each.sealed.set === set);
    if (stocked === undefined) throw unknownSet(set);
    const opened = await openStockedSet(trapFolders(project), keyRing, stocked.sealed);
    const at = eventTime(stock, now);
    const unrevealed = (lots ?? [...stocked.lots.keys()]).filter((lot) => {
      const state = stocked.lots[lot];
      return state !== undefined && !(state.state === 'retired' && state.why === 'revealed');
    });
    await writer.append(
      unrevealed.map((lot) => ({ event: 'retired', at, set, lot, why: 'revealed' })),
    );
    return opened;
  });
  const questions = await coinQuestions(project, sealed);
  return {
    set,
    root: sealed.seal.root,
    lots: (lots ?? [...sealed.set.lots.keys()]).map((lot) => {
      const commitments = trapCommitments(sealed.set, lot);
      const openings = trapOpenings(sealed.set, lot);
      return {
        lot,
        traps: (sealed.set.lots[lot]?.traps ?? []).map((trap, place) => ({
          commitment: commitments[place] ?? '',
          opening: openings[place] ?? '',
          ...trap,
          ...('sequence' in trap ? questions.get(trap.sequence) : {}),
        })),
      };
    }),
  };
}

async function coinQuestions(
  { config }: Project,
  { set }: SealedTrapSet,
): Promise<Map<number, Pick<RevealedTrap, 'input' | 'label'>>> {
  const questions = new Map<number, Pick<RevealedTrap, 'input' | 'label'>>();
  if (set.kind !== 'coin') return questions;
  const wanted = new Set(set.lots.flatMap(({ traps }) => traps.map(({ sequence }) => sequence)));
  const { tenant, epoch } = set;
  const selection = { tenant, epoch, onMissing: () => undefined };
  try {
    for await (const { sequence, input, label } of readServingLog(
      config.log.directory,
      selection,
    )) {
      if (wanted.has(sequence)) questions.set(sequence, { input: encodeInput(input), label });
    }
  } catch {
    // The set is retired by now: what the log gives is added, and what it lacks is left out.
  }
  return questions;
}

function listed({ sealed, lots }: StockedSet): ListedSet {
  const count = (state: string) => lots.filter((lot) => lot.state === state).length;
  return {
    set: sealed.set,
    kind: sealed.kind,
    tenant: sealed.tenant,
    epoch: sealed.epoch,
    sealedAt: sealed.at,
    root: sealed.root,
    lots: { active: count('active'), exposed: count('exposed'), retired: count('retired') },
    activeTraps: sealed.lots.reduce(
      (sum, traps, lot) => (lots[lot]?.state === 'active' ? sum + traps : sum),
      0,
    ),
    bansPerLot: sealed.bansPerLot,
  };
}
