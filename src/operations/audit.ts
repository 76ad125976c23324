import { join } from 'node:path';
import { conductAudit } from '../audit/conduct.ts';
import { replayAssumption } from '../audit/material.ts';
import { charges } from '../audit/multiplicity.ts';
import {
  type AuditPlan,
  digestOf,
  parseSealedPlan,
  type SealedPlan,
  sealPlan,
} from '../audit/plan.ts';
import { prepareMaterial } from '../audit/prepare.ts';
import { decodeMaterial, encodeMaterial, materialDigest } from '../audit/stored-material.ts';
import { provenanceTests } from '../audit/tests/registry.ts';
import type { Input, Progress, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { canonicalInput, inputDigest, poolDigest } from '../keys/canonical-input.ts';
import { readServingLog } from '../ledger/read-log.ts';
import { requireValidLog, verifyServingLog } from '../ledger/verify-log.ts';
import { openClassifier } from '../models/adapters/registry.ts';
import type { RemoteClassifier } from '../models/adapters/remote.ts';
import { renderHtml } from '../report/html.ts';
import { renderJson } from '../report/json.ts';
import type { AuditReport } from '../report/model.ts';
import { seededRandom } from '../stats/sampling.ts';
import { registerAudit, registeredAudits } from '../store/audit-register.ts';
import type { KeyRing } from '../store/key-ring.ts';
import { readProfile, requireProfileLabels } from '../store/profile-file.ts';
import { readInputFile, toolkitVersion } from '../store/project-files.ts';
import { RunDirectory } from '../store/run-directory.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { reportOf } from './audit-report.ts';
import { openProject, openProjectRing, type Project } from './project.ts';
import { openUpstream } from './upstream.ts';

const unsealedPool =
  'the fresh probes were chosen without the keys (their pool was not sealed before serving)';

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

/**
 * Audits one suspect for one tenant's key, and writes plan, answers and report to the run directory.
 *
 * @throws TouchmarkError for bad configuration, keys, log or input; SUSPECT_* when the suspect cannot
 *   be asked; INTERRUPTED when the signal fires. What was answered is kept: resume goes on from there.
 */
export async function runAudit(options: AuditOptions): Promise<AuditReport> {
  if (options.resume) return auditSuspect(await openAudit(options), options);
  await RunDirectory.requireVacant(options.out);
  const opened = await openAudit(options);
  await contactSuspect(opened, options);
  return auditSuspect(await computeMaterial(opened, options), options);
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
async function openAudit(options: PreparationOptions): Promise<PreparedAudit> {
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
  const log = { entries: report.head.size, head: report.head.hash };
  return { project, profile, keyRing, tenant, epoch, records, log };
}

async function computeMaterial(
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

/** Fails early, before twins are trained, when the suspect cannot be asked at all. */
async function contactSuspect(opened: PreparedAudit, options: AuditOptions): Promise<void> {
  const suspect = openSuspect(opened, options);
  try {
    await suspect.describe({ signal: options.signal });
  } finally {
    await suspect.close();
  }
}

function openSuspect(
  { project, profile: { labels, features } }: PreparedAudit,
  { suspect, suspectBearer }: Pick<AuditOptions, 'suspect' | 'suspectBearer'>,
): RemoteClassifier {
  const { audit } = project.config;
  const { labelMap, suspectLabels, batchSize } = audit;
  return openClassifier(suspect, {
    labels,
    labelMap,
    batchSize,
    timeoutMilliseconds: audit.timeoutSeconds * 1000,
    ...(suspectLabels && { suspectLabels }),
    ...(suspectBearer !== undefined && { bearer: suspectBearer }),
    ...(features.kind === 'tensor' && {
      example: { shape: features.shape, data: new Float32Array(features.mean.length) },
    }),
  });
}

/** Seals a plan against one suspect, asks, judges and reports. */
export async function auditSuspect(
  prepared: PreparedAudit,
  options: AuditOptions,
): Promise<AuditReport> {
  const { project, profile, keyRing, tenant, epoch, records } = prepared;
  const { audit } = project.config;
  const startedAt = new Date();
  const resumed = options.resume ? await resumeRun(prepared, options) : undefined;
  const suspect = openSuspect(prepared, options);
  try {
    const description = await suspect.describe({ signal: options.signal });
    const { run, sealed, text } = resumed ?? (await beginRun(prepared, options));
    try {
      const material = decodeMaterial(text, {
        profile,
        epochKey: keyRing.epochKey(tenant, epoch),
        epochCommitment: keyRing.commitment(tenant, epoch),
        records,
        questionsNotChosenFromAnswers: sealed.plan.assumptions.includes(replayAssumption),
      });
      const findings = await conductAudit({
        material,
        suspect,
        gives: description.gives,
        runLog: run,
        batchSize: audit.batchSize,
        signal: options.signal,
        ...(options.progress && { progress: options.progress }),
      });
      const { closedAt } = keyRing.epochs(tenant).find((each) => each.epoch === epoch)!;
      const report = reportOf({
        sealed,
        epochClosedAt: closedAt,
        findings,
        description: { ...description, ...(options.suspectName && { name: options.suspectName }) },
        counts: suspect.counts(),
        startedAt,
        finishedAt: new Date(),
      });
      await run.writeReport('json', renderJson(report));
      await run.writeReport('html', renderHtml(report));
      return report;
    } finally {
      await run.close();
    }
  } finally {
    await suspect.close();
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

interface StartedRun {
  readonly run: RunDirectory;
  readonly sealed: SealedPlan;
  readonly text: string;
}

async function beginRun(prepared: PreparedAudit, options: AuditOptions): Promise<StartedRun> {
  const { project, profile, keyRing, tenant, epoch, log, material } = prepared;
  if (material === undefined) throw new RangeError('a new audit needs computed material');
  const { text, probes, sealedPool } = material;
  const register = registerPath(project);
  const { config } = project;
  const earlier = (await registeredAudits(register)).filter(
    (each) => each.suspect === options.suspect,
  );
  const sealedAt = new Date().toISOString();
  const plan: AuditPlan = {
    schema: 'touchmark/audit-plan@1',
    sealedAt,
    suspect: options.suspect,
    tenant,
    epoch,
    epochCommitment: keyRing.commitment(tenant, epoch),
    profile: digestOf(profile),
    protectedModel: { name: config.model.name, version: lastVersion(prepared.records) },
    labels: [...profile.labels],
    tests: provenanceTests.map(({ name }) => name),
    log: { entries: log.entries, head: log.head },
    material: materialDigest(text),
    probes,
    threshold: config.audit.threshold,
    multiplicity: charges({
      tenants: keyRing.tenants().length,
      suspects: config.audit.suspects,
      audit: earlier.length + 1,
    }).map((charge) => ({ ...charge })),
    assumptions: [
      ...(config.audit.questionsNotChosenFromAnswers ? [replayAssumption] : []),
      ...(probes.fresh > 0 && !sealedPool ? [unsealedPool] : []),
    ],
    beacon: null,
    toolkit: await toolkitVersion(),
  };
  const sealed = sealPlan(plan);
  const run = await RunDirectory.create(options.out, `${JSON.stringify(sealed, null, 2)}\n`, text);
  await ensureRegistered(register, sealed);
  return { run, sealed, text };
}

async function resumeRun(prepared: PreparedAudit, options: AuditOptions): Promise<StartedRun> {
  const run = await RunDirectory.resume(options.out);
  const sealed = parseSealedPlan(await run.readText('plan'), join(options.out, 'plan.json'));
  const text = await run.readText('material');
  const differs = [
    ['suspect', sealed.plan.suspect, options.suspect],
    ['tenant', sealed.plan.tenant, prepared.tenant],
    ['epoch', sealed.plan.epoch, prepared.epoch],
    ['watermark profile', sealed.plan.profile, digestOf(prepared.profile)],
    ['material', sealed.plan.material, materialDigest(text)],
  ].find(([, was, is]) => was !== is);
  if (differs === undefined) {
    await ensureRegistered(registerPath(prepared.project), sealed);
    return { run, sealed, text };
  }
  throw new TouchmarkError(
    'RUN_CONFLICT',
    `${options.out} was sealed for the ${differs[0]} ${differs[1]}, and this is ${differs[2]}`,
    { hint: 'resume with what was sealed, or start a new audit in an empty directory' },
  );
}

/** A run may have been resumed that a crash ended between sealing and registering. */
async function ensureRegistered(register: string, { plan, hash }: SealedPlan): Promise<void> {
  const { sealedAt, suspect, tenant } = plan;
  if ((await registeredAudits(register)).some((each) => each.plan === hash)) return;
  await registerAudit(register, { sealedAt, suspect, tenant, plan: hash });
}

function registerPath({ directory }: Project): string {
  return join(directory, '.touchmark', 'audits.jsonl');
}

function lastVersion(records: readonly ServedRecord[]): string {
  return records.at(-1)?.modelVersion ?? 'unknown';
}
