import type { KeyObject } from 'node:crypto';
import type { AuditPlan } from '../../audit/plan.ts';
import type { ServedRecord } from '../../contracts.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import type { KeyedBits } from '../../keys/coin-tree.ts';
import { verifyConsistency } from '../../keys/merkle.ts';
import { type ChainEntry, commitToPayload } from '../../ledger/chain.ts';
import { logOrigin, openLogCheckpoint } from '../../ledger/checkpoint-note.ts';
import { verifyLogExtract } from '../../ledger/log-proofs.ts';
import { decodeRecord } from '../../ledger/payload.ts';
import type { ClassifierProfile } from '../../watermark/classifier-profile.ts';
import { chosenClass, tossCoin } from '../../watermark/label/coins.ts';
import { refused } from '../envelope.ts';
import type { DossierPredicate } from '../statement.ts';

/** The earlier checkpoint of a dossier, once it is known to be a prefix of the plan's log. */
export interface AnchoredCheckpoint {
  /** The signed note, as it would have been published. */
  readonly note: string;
  readonly size: number;
  readonly root: string;
  readonly token: string | undefined;
}

export interface LogFindings {
  readonly records: readonly ServedRecord[];
  /** An earlier checkpoint that holds the seals and all records shown. */
  readonly anchor: AnchoredCheckpoint | undefined;
}

/**
 * Checks the extract of the serving log: it stands in the tree that the plan names, under the owner's
 * signature; the epoch's key and the profile were sealed in it before the first record shown; each
 * record opens its entry and is of the plan's tenant and epoch; and no question is shown twice, since
 * the coins of a repeated one are one coin.
 *
 * @throws TouchmarkError EVIDENCE_INVALID
 */
export function verifyLog(
  { log, plan, epoch }: DossierPredicate,
  ownerKey: KeyObject,
): LogFindings {
  const { checkpoint, entries } = verifyLogExtract(log, ownerKey);
  const isPlans =
    logOrigin(checkpoint.identifier) === plan.log.origin &&
    checkpoint.size === plan.log.entries &&
    checkpoint.head === plan.log.head &&
    checkpoint.root === plan.log.root;
  if (!isPlans) throw refused('holds a checkpoint that is not of the log as the plan names it');
  requireAscendingTimes(entries, plan);
  const served = entries.filter((entry) => entry.kind === 'served');
  const seals = entries.filter((entry) => entry.kind === 'sealed');
  if (served.length + seals.length !== entries.length) throw refused('shows erasures of the log');
  requireSealsFirst(seals, served[0], plan);
  if (served.length !== log.records.length) throw refused('does not open every entry it shows');
  const records = log.records.map(({ sequence, salt, payload }, place) => {
    const entry = served[place]!;
    const bytes = Buffer.from(payload, 'utf8');
    const opens =
      entry.sequence === sequence &&
      commitToPayload(Buffer.from(salt, 'hex'), bytes) === entry.commitment;
    if (!opens) throw refused(`opens record ${sequence} to something else than was logged`);
    const record = decodeRecord(bytes, sequence);
    if (record.tenant !== plan.tenant || record.epoch !== plan.epoch) {
      throw refused(`shows record ${sequence} of another tenant or epoch`);
    }
    if (Date.parse(record.servedAt) <= Date.parse(entry.at)) return record;
    throw refused(`shows record ${sequence} as served after it was logged`);
  });
  requireEpochTimes(epoch, seals, records);
  const questions = new Set(records.map(({ input }) => inputDigest(input).toString('base64')));
  if (questions.size < records.length) throw refused('shows a question of its log twice');
  return { records, anchor: anchorOf(log, ownerKey, checkpoint, entries) };
}

/**
 * Checks that the log's labels are what the revealed coins say of the clean answers.
 *
 * @throws TouchmarkError EVIDENCE_INVALID naming the first record that differs
 */
export function requireCoins(
  records: readonly ServedRecord[],
  coins: KeyedBits,
  { marginThreshold }: ClassifierProfile,
): void {
  const odd = records.find(({ input, clean, label, marks }) => {
    const coin = tossCoin(coins, input, clean, marginThreshold);
    const same =
      coin?.top === marks.coin?.top &&
      coin?.second === marks.coin?.second &&
      coin?.outcome === marks.coin?.outcome;
    return !same || (coin !== undefined && label !== chosenClass(coin));
  });
  if (odd === undefined) return;
  throw refused(`shows record ${odd.sequence} with a mark that the revealed coins do not give`);
}

function requireAscendingTimes(entries: readonly ChainEntry[], plan: AuditPlan): void {
  const times = [...entries.map(({ at }) => Date.parse(at)), Date.parse(plan.sealedAt)];
  if (times.every((time, place) => time >= (times[place - 1] ?? time))) return;
  throw refused('shows entries of the log whose times do not ascend to the plan');
}

function requireSealsFirst(
  seals: readonly Extract<ChainEntry, { kind: 'sealed' }>[],
  first: ChainEntry | undefined,
  plan: AuditPlan,
): void {
  for (const [what, digest] of [
    ['epoch', plan.epochCommitment],
    ['profile', plan.profile],
  ] as const) {
    const seal = seals.find((each) => each.what === what && `sha256:${each.digest}` === digest);
    if (seal === undefined) throw refused(`lacks the log's seal of the ${what}`);
    if (first !== undefined && seal.sequence > first.sequence) {
      throw refused(`shows answers that were served before the ${what} was sealed`);
    }
  }
  if (seals.length > 2) throw refused('shows more seals than it needs');
}

/** The log seals a key that exists, and shows no answer under it once others have followed. */
function requireEpochTimes(
  { createdAt, retiredAt }: DossierPredicate['epoch'],
  seals: readonly Extract<ChainEntry, { kind: 'sealed' }>[],
  records: readonly ServedRecord[],
): void {
  const sealed = seals.find(({ what }) => what === 'epoch')!;
  if (Date.parse(sealed.at) < Date.parse(createdAt)) {
    throw refused('says that its key was made after the log had sealed it');
  }
  const last = records.at(-1);
  if (retiredAt === null || last === undefined) return;
  if (Date.parse(retiredAt) < Date.parse(last.servedAt)) {
    throw refused('shows answers from after its key was retired');
  }
}

function anchorOf(
  { anchor }: DossierPredicate['log'],
  ownerKey: KeyObject,
  plans: { readonly identifier: string; readonly size: number; readonly root: string },
  entries: readonly ChainEntry[],
): AnchoredCheckpoint | undefined {
  if (anchor === null) return undefined;
  const earlier = openLogCheckpoint(anchor.checkpoint, ownerKey);
  const isPrefix =
    earlier.identifier === plans.identifier &&
    verifyConsistency({
      first: earlier.size,
      second: plans.size,
      firstRoot: Buffer.from(earlier.root, 'hex'),
      secondRoot: Buffer.from(plans.root, 'hex'),
      proof: anchor.consistency.map((hash) => Buffer.from(hash, 'hex')),
    });
  if (!isPrefix) throw refused('has an anchor that is no earlier state of the same log');
  if ((entries.at(-1)?.sequence ?? -1) >= earlier.size) {
    throw refused('has an anchor that does not hold all records shown');
  }
  return {
    note: anchor.checkpoint,
    size: earlier.size,
    root: earlier.root,
    token: anchor.token,
  };
}
