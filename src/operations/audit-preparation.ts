import { digestOf } from '../audit/plan.ts';
import { prepareMaterial } from '../audit/prepare.ts';
import { requireServedMarks } from '../audit/served-marks.ts';
import { encodeMaterial } from '../audit/stored-material.ts';
import type { Input, Progress, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { canonicalInput, inputDigest, poolDigest } from '../keys/canonical-input.ts';
import { readServingLog } from '../ledger/read-log.ts';
import { requireValidLog, verifyServingLog } from '../ledger/verify-log.ts';
import { seededRandom } from '../stats/sampling.ts';
import type { KeyRing } from '../store/key-ring.ts';
import { readProfile, requireProfileLabels } from '../store/profile-file.ts';
import { readInputFile } from '../store/project-files.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
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
  /** The run directory. */
  readonly out: string;
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** What every audit of one tenant's epoch shares. */
export interface PreparedAudit {
  readonly project: Project;
  readonly profile: ClassifierProfile;
  readonly keyRing: KeyRing;
  readonly tenant: string;
  readonly epoch: string;
  readonly records: readonly ServedRecord[];
  readonly log: { readonly entries: number; readonly head: string };
  /** Encoded material; absent when a run is resumed, which brings its own. */
  readonly material?: {
    readonly text: string;
    readonly probes: { readonly logged: number; readonly fresh: number };
    /** Whether the fresh probes are those that were sealed before serving. */
    readonly sealedPool: boolean;
  };
}

type PreparationOptions = Pick<
  AuditOptions,
  'configPath' | 'tenant' | 'epoch' | 'signal' | 'progress'
>;

/** Opens the project, trains the twins and computes the material that audits of suspects share. */
export async function prepareAudit(options: PreparationOptions): Promise<PreparedAudit> {
  return computeMaterial(await openAudit(options), options);
}

/** Opens what is the owner's own: project, keys and log. Nobody is asked anything. */
export async function openAudit(options: PreparationOptions): Promise<PreparedAudit> {
  const { tenant } = options;
  const project = await openProject({ configPath: options.configPath });
  const { config } = project;
  const keyRing = await openProjectRing(project);
  const epoch = options.epoch ?? keyRing.currentEpoch(tenant).epoch;
  keyRing.commitment(tenant, epoch);
  const profile = await requireProfile(project.profilePath);
  const report = await verifyServingLog(config.log.directory);
  requireValidLog(report);
  const records: ServedRecord[] = [];
  for await (const record of readServingLog(config.log.directory, { tenant, epoch })) {
    records.push(record);
  }
  requireServedMarks(records, keyRing.epochKey(tenant, epoch), profile);
  const log = { entries: report.head.size, head: report.head.hash };
  return { project, profile, keyRing, tenant, epoch, records, log };
}

/** Asks the protected model and trains the twins. */
export async function computeMaterial(
  opened: PreparedAudit,
  { signal, progress }: PreparationOptions,
): Promise<PreparedAudit> {
  const { project, profile, keyRing, tenant, epoch, records } = opened;
  const { config, environment } = project;
  const { classifier: protectedModel, model } = await openUpstream(config, { environment, signal });
  try {
    requireProfileLabels(project.profilePath, profile, model.labels);
    const pool = await readInputFile(config.inputs.fresh);
    const material = await prepareMaterial({
      profile,
      protectedModel,
      records,
      twinInputs: await readInputFile(config.inputs.twin),
      freshInputs: chooseFresh(pool, keyRing.commitment(tenant, epoch), config.audit.freshProbes),
      loggedProbes: config.audit.loggedProbes,
      signal,
      ...(progress && { progress }),
    });
    const probes = { logged: material.logged.length, fresh: material.fresh.length };
    const sealedPool = profile.freshPool === poolDigest(pool);
    return { ...opened, material: { text: encodeMaterial(material), probes, sealedPool } };
  } finally {
    await protectedModel.close();
  }
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
