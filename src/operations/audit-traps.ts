import type { AuditPlan } from '../audit/plan.ts';
import type { ComputedMaterial } from '../audit/stored-material.ts';
import { coinSequences, type SharedMaterial, withTraps } from '../audit/trapped-material.ts';
import { TouchmarkError } from '../errors.ts';
import { classifierKeys } from '../keys/classifier-keys.ts';
import type { AuditReport } from '../report/model.ts';
import { trapCommitments } from '../traps/seal.ts';
import { activeTraps, auditsRemaining, type TrapStock, type TrapTarget } from '../traps/stock.ts';
import type { PreparedAudit } from './audit-preparation.ts';
import type { Project } from './project.ts';
import {
  type ClaimedTraps,
  claimsOf,
  claimTraps,
  noteRecordsExposed,
  readTrapStock,
} from './traps/claims.ts';

type PlannedLots = NonNullable<AuditPlan['traps']>;

/** Who is audited, as claims remember it. */
export interface Auditee {
  readonly audit: string;
  readonly suspect: string;
  readonly operator: string | null;
}

/**
 * Claims the traps of one audit, and joins them with the material that audits share. From here on
 * they are exposed, whether or not a question is ever asked.
 *
 * An epoch without sealed coin traps is audited with all its logged questions, which can be no coin
 * traps afterwards.
 */
export async function claimAuditTraps(
  prepared: PreparedAudit,
  shared: SharedMaterial,
  auditee: Auditee,
): Promise<{
  readonly joined: ComputedMaterial;
  readonly lots: PlannedLots;
  readonly notices: readonly string[];
}> {
  const { project, keyRing, tenant, epoch, records, profile } = prepared;
  const { labelCoins } = classifierKeys(keyRing.epochKey(tenant, epoch));
  const fallen = coinSequences(records, labelCoins, profile.marginThreshold);
  const targets = targetsOf(tenant, epoch);
  const claimed = await claimTraps({
    project,
    keyRing,
    targets,
    lotsPerAudit: project.config.traps.lotsPerAudit,
    ...auditee,
    now: new Date(),
  });
  const stock = await readTrapStock(project);
  const joined = withTraps(shared, fallen, {
    coins: areCoinsSealed(prepared, stock) ? coinsOf(claimed) : 'all',
    regionLots: claimed.lots.flatMap(({ sealed: { set, seal }, lot }) =>
      set.kind === 'region' ? [{ set: seal.id, index: lot, lot: set.lots[lot]! }] : [],
    ),
  });
  const lots = plannedLots(claimed);
  const notices = [...claimed.notices, ...coinNotice(lots, stock, targets[0]!)];
  return { joined, lots, notices };
}

/** Notes that an audit without coin traps is about to show the log's own questions. */
export async function noteShownRecords(
  { project, tenant, epoch }: PreparedAudit,
  plan: AuditPlan,
  coins: readonly number[],
): Promise<void> {
  const through = coins.at(-1);
  if (through === undefined || plan.traps?.some(({ kind }) => kind === 'coin')) return;
  await noteRecordsExposed(project, {
    tenant,
    epoch,
    through,
    suspect: plan.suspect,
    audit: plan.audit ?? plan.sealedAt,
    now: new Date(),
  });
}

/** Checks that the traps of a plan are still claimed for its audit. @throws TRAPS_EXPOSED */
export async function requireClaims(project: Project, plan: AuditPlan): Promise<void> {
  if (plan.audit === undefined || plan.traps === undefined) return;
  const held = await claimsOf(project, plan.audit);
  const lost = plan.traps.find(
    ({ set, lot }) => !held.some((claim) => claim.set === set && claim.lot === lot),
  );
  if (lost === undefined) return;
  throw new TouchmarkError(
    'TRAPS_EXPOSED',
    `lot ${lost.lot} of the trap set ${lost.set} is not claimed for this audit any more`,
    { hint: 'restore .touchmark/traps, or start a new audit in an empty directory' },
  );
}

/** What the report says of an audit's traps and of the stock that is left. */
export async function trapFindings(
  project: Project,
  { tenant, epoch, traps = [] }: AuditPlan,
): Promise<NonNullable<AuditReport['traps']>> {
  const stock = await readTrapStock(project);
  const { lotsPerAudit } = project.config.traps;
  return {
    lots: traps,
    remaining: targetsOf(tenant, epoch).map((target) => ({
      kind: target.kind,
      audits: auditsRemaining(stock, target, lotsPerAudit),
    })),
  };
}

/** Says how little a lot of coins may be, while there are more in stock. */
function coinNotice(lots: PlannedLots, stock: TrapStock, target: TrapTarget): string[] {
  const coins = lots.filter(({ kind }) => kind === 'coin');
  if (coins.length === 0) return [];
  const shown = coins.reduce((sum, { commitments }) => sum + commitments.length, 0);
  const expected = coins.reduce((sum, { expectedBans }) => sum + expectedBans, 0);
  const left = activeTraps(stock, target);
  return [
    `${shown} coin traps are shown (${expected.toFixed(1)} bans expected of a thief), ${left} stay in stock; --trap-lots shows more at once.`,
  ];
}

function targetsOf(tenant: string, epoch: string): readonly TrapTarget[] {
  return [
    { kind: 'coin', tenant, epoch },
    { kind: 'region', tenant: null, epoch: null },
  ];
}

function areCoinsSealed({ project, tenant, epoch }: PreparedAudit, { sets }: TrapStock): boolean {
  if (project.config.traps.lotsPerAudit === 0) return true;
  return sets.some(
    ({ sealed }) => sealed.kind === 'coin' && sealed.tenant === tenant && sealed.epoch === epoch,
  );
}

function coinsOf({ lots }: ClaimedTraps): ReadonlySet<number> {
  return new Set(
    lots.flatMap(({ sealed: { set }, lot }) =>
      set.kind === 'coin' ? set.lots[lot]!.traps.map(({ sequence }) => sequence) : [],
    ),
  );
}

function plannedLots({ lots }: ClaimedTraps): PlannedLots {
  return lots.map(({ sealed: { set, seal }, lot }) => ({
    set: seal.id,
    root: seal.root,
    kind: set.kind,
    lot,
    commitments: trapCommitments(set, lot),
    expectedBans: set.expected.bansPerLot,
  }));
}
