import { TouchmarkError } from '../../errors.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { claimLot, readClaims } from '../../store/trap-exposures.ts';
import type { ExposureClaim } from '../../traps/events.ts';
import {
  type ClaimedLot,
  lotsForAudit,
  type StockedSet,
  type TrapTarget,
} from '../../traps/stock.ts';
import type { SealedTrapSet } from '../../traps/trap-set.ts';
import type { Project } from '../project.ts';
import { openStockedSet, readTrapStock, type TrapFolders, trapFolders } from './stock.ts';
import { StockWriter } from './stock-writer.ts';

export { noteRecordsExposed } from './records-exposed.ts';
export { readTrapStock } from './stock.ts';

/** A lot that one audit may show, with the set it is in. */
export interface HeldLot {
  readonly sealed: SealedTrapSet;
  readonly lot: number;
}

/** What an audit got. */
export interface ClaimedTraps {
  readonly lots: readonly HeldLot[];
  /** What the operator should know: sets left out, and why; too small a stock. */
  readonly notices: readonly string[];
}

export interface ClaimOptions {
  readonly project: Pick<Project, 'directory'>;
  readonly keyRing: KeyRing;
  readonly targets: readonly TrapTarget[];
  readonly lotsPerAudit: number;
  /** Whom the lots will be shown to. */
  readonly suspect: string;
  /** Who runs the suspect, where known. */
  readonly operator: string | null;
  /** A random name of the audit. */
  readonly audit: string;
  readonly now: Date;
}

/**
 * Claims lots for one audit. When this resolves the claims survive a crash and a power cut, and
 * nobody else can show the lots, whatever the clock says and whether or not the ledger is busy.
 *
 * A set whose file does not fit its seal is left out with a notice. A lot that another audit claimed
 * first is passed over for the next one.
 *
 * @throws TouchmarkError LOG_INVALID when the ledger does not fit; STORE_FULL or STORE_DAMAGED
 */
export async function claimTraps(options: ClaimOptions): Promise<ClaimedTraps> {
  const { project, targets, audit } = options;
  const folders = trapFolders(project);
  const stock = await readTrapStock(project);
  const notices: string[] = [];
  const held: HeldLot[] = [];
  for (const target of targets) {
    const candidates = lotsForAudit(stock, target, Number.POSITIVE_INFINITY);
    const groups = target.kind === 'region' ? [candidates] : bySet(candidates);
    const opened = await openSets(folders, options.keyRing, stock.sets, candidates, notices);
    const before = held.length;
    for (const group of groups) {
      const usable = group.filter(({ set }) => opened.has(set));
      held.push(...(await claimFirst(folders, usable, opened, options)));
    }
    const isStocked = stock.sets.some(({ sealed }) => isFor(sealed, target));
    if (isStocked && held.length === before && options.lotsPerAudit > 0) {
      notices.push(`No ${target.kind} traps are left; \`touchmark traps rotate\` builds others.`);
    }
  }
  if (held.length > 0) notices.push(...(await noteClaims(options)));
  const usable = await stillUsable(project, held, audit, notices);
  return { lots: usable, notices };
}

/** Returns the lots that an audit of that name claimed. */
export async function claimsOf(
  project: Pick<Project, 'directory'>,
  audit: string,
): Promise<ClaimedLot[]> {
  const claims = await readClaims(trapFolders(project).exposures);
  return claims.filter((claim) => claim.audit === audit);
}

/** Opens each set once; those that do not fit are told and left out. */
async function openSets(
  folders: TrapFolders,
  keyRing: KeyRing,
  sets: readonly StockedSet[],
  lots: readonly { readonly set: string }[],
  notices: string[],
): Promise<Map<string, SealedTrapSet>> {
  const wanted = new Set(lots.map(({ set }) => set));
  const opened = new Map<string, SealedTrapSet>();
  for (const { sealed } of sets.filter((each) => wanted.has(each.sealed.set))) {
    try {
      opened.set(sealed.set, await openStockedSet(folders, keyRing, sealed));
    } catch (cause) {
      if (!TouchmarkError.isInstance(cause)) throw cause;
      notices.push(`${cause.message} Its traps are left out. ${cause.hint}`.trimEnd());
    }
  }
  return opened;
}

async function claimFirst(
  { exposures }: TrapFolders,
  candidates: readonly { readonly set: string; readonly lot: number }[],
  opened: ReadonlyMap<string, SealedTrapSet>,
  { lotsPerAudit, suspect, operator, audit, now }: ClaimOptions,
): Promise<HeldLot[]> {
  const held: HeldLot[] = [];
  for (const { set, lot } of candidates) {
    if (held.length >= lotsPerAudit) break;
    const claim: ExposureClaim = {
      schema: 'touchmark/trap-exposure@1',
      set,
      lot,
      at: now.toISOString(),
      suspect,
      operator,
      audit,
    };
    const sealed = opened.get(set);
    if (sealed && (await claimLot(exposures, claim))) held.push({ sealed, lot });
  }
  return held;
}

/** Claim files count alone; where the ledger is busy or full, its next writer notes them. */
async function noteClaims({ project, now }: ClaimOptions): Promise<string[]> {
  try {
    await (await StockWriter.open(project, now, 0)).close();
    return [];
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause)) throw cause;
    if (cause.code === 'STORE_LOCKED') return [];
    return [`The claims are safe, but the trap ledger could not note them: ${cause.message}`];
  }
}

/** Leaves out lots that were retired, perhaps revealed, while they were being claimed. */
async function stillUsable(
  project: Pick<Project, 'directory'>,
  held: readonly HeldLot[],
  audit: string,
  notices: string[],
): Promise<HeldLot[]> {
  const { sets } = await readTrapStock(project);
  return held.filter(({ sealed, lot }) => {
    const state = sets.find((each) => each.sealed.set === sealed.seal.id)?.lots[lot];
    const usable =
      (state?.state === 'exposed' && state.audit === audit) ||
      (state?.state === 'retired' && state.why === 'exposed');
    if (!usable) notices.push(`Lot ${lot} of ${sealed.seal.id} was retired just now; left out.`);
    return usable;
  });
}

function isFor(sealed: StockedSet['sealed'], { kind, tenant, epoch }: TrapTarget): boolean {
  return sealed.kind === kind && sealed.tenant === tenant && sealed.epoch === epoch;
}

function bySet<Lot extends { readonly set: string }>(lots: readonly Lot[]): Lot[][] {
  const sets = [...new Set(lots.map(({ set }) => set))];
  return sets.map((set) => lots.filter((lot) => lot.set === set));
}
