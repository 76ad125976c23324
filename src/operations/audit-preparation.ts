import { digestOf } from '../audit/plan.ts';
import { prepareMaterial } from '../audit/prepare.ts';
import { requireServedMarks } from '../audit/served-marks.ts';
import type { SharedMaterial } from '../audit/trapped-material.ts';
import type { Override } from '../config/overrides.ts';
import type { Input, Progress, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { canonicalInput, inputDigest, poolDigest } from '../keys/canonical-input.ts';
import { merkleRoot } from '../keys/merkle.ts';
import { logOrigin } from '../ledger/checkpoint-note.ts';
import { leafOf } from '../ledger/log-proofs.ts';
import { readChain, readServingLog } from '../ledger/read-log.ts';
import { requireValidLog, verifyServingLog } from '../ledger/verify-log.ts';
import { seededRandom } from '../stats/sampling.ts';
import type { KeyRing } from '../store/key-ring.ts';
import { readProfile, requireProfileLabels } from '../store/profile-file.ts';
import { readInputFile } from '../store/project-files.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { type AuditFingerprint, findAuditFingerprint } from './audit-fingerprint.ts';
import { requireUnreleased } from './custody.ts';
import { markedRecords, requireBeginning } from './epoch-records.ts';
import { openProject, openProjectRing, type Project } from './project.ts';
import { openUpstream } from './upstream.ts';

export interface AuditOptions {
  readonly configPath: string;
  /** `kserve:URL` or `http:URL`. */
  readonly suspect: string;
  readonly suspectBearer?: string;
  /** What reports call the suspect; what it calls itself by default. */
  readonly suspectName?: string;
  readonly tenant: string;
  /** The tenant's current epoch by default. */
  readonly epoch?: string;
  /** Who answers for the suspect, as claims on traps remember it. */
  readonly operator?: string;
  /** Settings from the command line. */
  readonly flags?: readonly Override[];
  /** The run directory. */
  readonly out: string;
  readonly resume: boolean;
  /** Tests to leave out of the dossier. */
  readonly redact?: readonly string[];
  readonly signal: AbortSignal;
  readonly progress?: Progress;
  /** Hears what the operator should know about traps and fingerprints. */
  readonly onNotice?: (text: string) => void;
}

/** What every audit of one tenant's epoch shares. */
export interface PreparedAudit {
  readonly project: Project;
  readonly profile: ClassifierProfile;
  readonly keyRing: KeyRing;
  readonly tenant: string;
  readonly epoch: string;
  /** Since when answers carry another key, as the log shows it; undefined while it does not. */
  readonly retiredAt: string | undefined;
  readonly records: readonly ServedRecord[];
  /** Answers, of any tenant, that the log has commitments to and no payloads of. */
  readonly withheld: number;
  /** Epochs that the log has answers of to the tenant, in served order. */
  readonly usedEpochs: readonly string[];
  readonly log: {
    readonly origin: string;
    readonly entries: number;
    readonly head: string;
    readonly root: string;
  };
  /** Computed material; absent when a run is resumed, which brings its own. */
  readonly material?: {
    readonly shared: SharedMaterial;
    /** Whether the owner's inputs are those that were sealed before serving. */
    readonly sealedPools: boolean;
    /** The protected model's fingerprint with its references, where there is one. */
    readonly fingerprint?: AuditFingerprint;
  };
}

type PreparationOptions = Pick<
  AuditOptions,
  'configPath' | 'tenant' | 'epoch' | 'flags' | 'signal' | 'progress' | 'onNotice'
>;

/** Opens the project, trains the twins and computes the material that audits of suspects share. */
export async function prepareAudit(options: PreparationOptions): Promise<PreparedAudit> {
  return computeMaterial(await openAudit(options), options);
}

/** Opens what is the owner's own: project, keys and log. Nobody is asked anything. */
export async function openAudit(options: PreparationOptions): Promise<PreparedAudit> {
  const { tenant, configPath, flags = [] } = options;
  const project = await openProject({ configPath, flags });
  const { config } = project;
  const keyRing = await openProjectRing(project);
  const epoch = options.epoch ?? keyRing.currentEpoch(tenant).epoch;
  const commitment = keyRing.commitment(tenant, epoch);
  const profile = await requireProfile(project.profilePath);
  const report = await verifyServingLog(config.log.directory);
  requireValidLog(report);
  requireBeginning(report, commitment);
  const all: ServedRecord[] = [];
  for await (const record of readServingLog(config.log.directory, { tenant })) all.push(record);
  const records = markedRecords(all.filter((record) => record.epoch === epoch));
  requireServedMarks(records, keyRing.epochKey(tenant, epoch), profile);
  const log = await logFacts(config.log.directory);
  const { closedAt } = keyRing.epochs(tenant).find((each) => each.epoch === epoch)!;
  const retiredAt = retirement(all, epoch, closedAt);
  const usedEpochs = [...new Set(all.map((record) => record.epoch))];
  const { withheld } = report;
  return {
    project,
    profile,
    keyRing,
    tenant,
    epoch,
    retiredAt,
    records,
    withheld,
    usedEpochs,
    log,
  };
}

/**
 * Checks that an epoch was used: else there is nothing that a suspect could have learned from.
 *
 * @throws TouchmarkError EPOCH_UNKNOWN naming the epochs that were
 */
export function requireAnswers(prepared: PreparedAudit): void {
  const { records, withheld, tenant, epoch, usedEpochs } = prepared;
  if (records.length > 0 || withheld > 0) return;
  const what = `The log has no answers to ${tenant} of epoch ${epoch}.`;
  const hint =
    usedEpochs.length === 0
      ? 'Serve first: there is nothing yet that a suspect could have learned from.'
      : `Give --epoch with one that was used: ${usedEpochs.slice(-10).join(', ')}.`;
  throw new TouchmarkError('EPOCH_UNKNOWN', what, { hint });
}

/** What names the serving log as it is now. */
async function logFacts(directory: string): Promise<PreparedAudit['log']> {
  const { identifier, entries } = await readChain(directory);
  return {
    origin: logOrigin(identifier),
    entries: entries.length,
    head: entries.at(-1)?.hash ?? '',
    root: merkleRoot(entries.map(leafOf)).toString('hex'),
  };
}

/**
 * Says when an epoch went out of use. Closing it in the key ring is not enough: a gateway may
 * go on with it for a while, and a program until it opens its keys again, so the log must show answers under a later epoch and
 * none under this one since.
 */
function retirement(
  all: readonly ServedRecord[],
  epoch: string,
  closedAt: string | undefined,
): string | undefined {
  const last = all.findLastIndex((record) => record.epoch === epoch);
  const next = all[last + 1];
  return closedAt !== undefined && next !== undefined ? next.servedAt : undefined;
}

/** Asks the protected model and trains the twins, for an epoch whose marks are still secret. */
export async function computeMaterial(
  opened: PreparedAudit,
  { signal, progress, onNotice }: PreparationOptions,
): Promise<PreparedAudit> {
  const { project, profile, keyRing, tenant, epoch, records } = opened;
  const { config, environment } = project;
  requireAnswers(opened);
  await requireUnreleased(project, tenant, epoch);
  const { classifier: protectedModel, model } = await openUpstream(config, { environment, signal });
  try {
    requireProfileLabels(project.profilePath, profile, model.labels);
    const pool = await readInputFile(config.inputs.fresh);
    const twinInputs = await readInputFile(config.inputs.twin);
    const sealedPools = requireSealedPools(opened, pool, twinInputs);
    const shared = await prepareMaterial({
      profile,
      protectedModel,
      records,
      twinInputs,
      freshInputs: chooseFresh(pool, keyRing.commitment(tenant, epoch), config.audit.freshProbes),
      loggedProbes: config.audit.loggedProbes,
      signal,
      ...(progress && { progress }),
    });
    const found = await findAuditFingerprint(project, model);
    if (typeof found === 'string') onNotice?.(found);
    const fingerprint = typeof found === 'string' ? undefined : found;
    return { ...opened, material: { shared, sealedPools, ...(fingerprint && { fingerprint }) } };
  } finally {
    await protectedModel.close();
  }
}

/**
 * Decides whether the owner's inputs are the ones that were sealed before serving. Others could
 * have been chosen with the keys or the tenant's answers in view; the owner has to vouch for them.
 */
function requireSealedPools(
  { project: { config }, profile }: PreparedAudit,
  fresh: readonly Input[],
  twin: readonly Input[],
): boolean {
  const changed = [
    { path: config.inputs.fresh, inputs: fresh, sealed: profile.freshPool },
    { path: config.inputs.twin, inputs: twin, sealed: profile.twinPool },
  ].find(({ inputs, sealed }) => inputs.length > 0 && sealed !== poolDigest(inputs));
  if (changed === undefined) return true;
  if (config.audit.inputsChosenWithoutKeys) return false;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `${changed.path} is not what was sealed before the first answer`,
    {
      hint: 'restore the file, or vouch with audit.inputsChosenWithoutKeys: true that its questions were chosen without the keys and the answers served; every report then says so',
    },
  );
}

async function requireProfile(path: string): Promise<ClassifierProfile> {
  const profile = await readProfile(path);
  if (profile !== undefined) return profile;
  throw new TouchmarkError('CONFIG_INVALID', `there is no watermark profile ${path}`, {
    hint: 'start `touchmark serve` first: nothing was served, so there is nothing to look for',
  });
}

/**
 * Chooses fresh probes by a seed that was public before the epoch's first answer. Nothing about the
 * log enters, not even whether a question was served: a tenant could have asked it for its answer.
 */
function chooseFresh(pool: readonly Input[], epochCommitment: string, most: number): Input[] {
  const distinct = new Map(pool.map((input) => [inputDigest(input).toString('hex'), input]));
  const inputs = [...distinct.values()].map(canonicalInput);
  const seed = digestOf(['fresh-probes', epochCommitment]);
  return seededRandom(seed).choose(inputs, Math.min(inputs.length, most));
}
