import { basename } from 'node:path';
import { Budget } from '../audit/budget.ts';
import { conductAudit } from '../audit/conduct.ts';
import { powerFor } from '../audit/expected-power.ts';
import { judge, stopRuleOf } from '../audit/judgement.ts';
import {
  type AuditMaterial,
  exchangeabilityAssumption,
  firstOccurrences,
  replayAssumption,
} from '../audit/material.ts';
import { Pace } from '../audit/pace.ts';
import type { AuditPlan } from '../audit/plan.ts';
import { plannedAudit } from '../audit/rehearsal-applicability.ts';
import { decodeMaterial } from '../audit/stored-material.ts';
import { provenanceTests } from '../audit/tests/registry.ts';
import type { TierThresholds } from '../audit/verdict.ts';
import type { PolicyConfig } from '../config/policy.ts';
import { readSuspectFile } from '../config/suspect-files.ts';
import type { Capability, Probe } from '../contracts.ts';
import { shownTests } from '../dossier/shown-tests.ts';
import { TouchmarkError } from '../errors.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { classifierKeys } from '../keys/classifier-keys.ts';
import { openRunAttempts } from '../ledger/run-attempts.ts';
import { type ChainedRunLog, openRunLog } from '../ledger/run-log.ts';
import { openClassifier } from '../models/adapters/registry.ts';
import type { RemoteClassifier, RemoteOptions } from '../models/adapters/remote.ts';
import { resolveSuspect } from '../models/adapters/suspect-names.ts';
import { renderHtml } from '../report/html.ts';
import { renderJson } from '../report/json.ts';
import type { AuditReport } from '../report/model.ts';
import { AuditDirectory } from '../store/audit-directory.ts';
import { writeDossier } from './audit-dossier.ts';
import {
  type AuditOptions,
  computeMaterial,
  openAudit,
  type PreparedAudit,
} from './audit-preparation.ts';
import { reportOf } from './audit-report.ts';
import { beginRun, resumeRun, type StartedRun } from './audit-run.ts';
import { trapFindings } from './audit-traps.ts';
import { policyActions, runPolicy } from './policy.ts';
import { storedRehearsals } from './rehearse.ts';

export { type AuditOptions, type PreparedAudit, prepareAudit } from './audit-preparation.ts';

/**
 * Audits one suspect for one tenant's key, and writes plan, answers and report to the run directory.
 *
 * @throws TouchmarkError for bad configuration, keys, log or input; SUSPECT_* when the suspect cannot
 *   be asked; INTERRUPTED when the signal fires. What was answered is kept: resume goes on from there.
 */
export async function runAudit(options: AuditOptions): Promise<AuditReport> {
  requireTests(options.redact);
  if (options.resume) return auditSuspect(await openAudit(options), options);
  await AuditDirectory.requireVacant(options.out);
  const opened = await openAudit(options);
  await givenBy(opened, options);
  return auditSuspect(await computeMaterial(opened, options), options);
}

/** Fails before anything is trained or asked for a name that is no test. */
function requireTests(names: readonly string[] = []): void {
  const known = provenanceTests.map(({ name }) => name);
  const odd = names.find((name) => !known.includes(name));
  if (odd === undefined) return;
  throw new TouchmarkError('USAGE', `there is no test "${odd}" to leave out of the dossier`, {
    hint: `the tests are ${known.join(', ')}`,
  });
}

function openSuspect(
  { project, profile: { labels, features } }: PreparedAudit,
  { suspect, suspectBearer }: Pick<AuditOptions, 'suspect' | 'suspectBearer'>,
  more: { readonly gate?: Pace; readonly replayIds?: NonNullable<RemoteOptions['replayIds']> } = {},
): RemoteClassifier {
  const { audit } = project.config;
  const { labelMap, suspectLabels, batchSize } = audit;
  return openClassifier(resolveSuspect(suspect, project.config.suspects), {
    labels,
    labelMap,
    batchSize,
    timeoutMilliseconds: audit.timeoutSeconds * 1000,
    environment: project.environment,
    readFile: readSuspectFile,
    ...more,
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
  const resumed = options.resume ? await resumeRun(prepared, options) : undefined;
  const { timeoutSeconds, budget: limits } = prepared.project.config.audit;
  const described = resumed ? resumed.sealed.plan.gives : await givenBy(prepared, options);
  const started = resumed ?? (await beginRun(prepared, options, described));
  const runLog = await openRunLog(options.out, started.sealed.hash);
  try {
    const attempts = await openRunAttempts(options.out);
    try {
      const budget = new Budget(limits, attempts.earlier);
      const pace = new Pace({
        budget,
        journal: attempts,
        patienceMilliseconds: patienceFactor * timeoutSeconds * 1000,
      });
      const ids = new Map<string, string>();
      const suspect = openSuspect(prepared, options, {
        gate: pace,
        replayIds: (input) => ids.get(inputDigest(input).toString('hex')),
      });
      try {
        return await askAndReport(prepared, options, {
          ...started,
          runLog,
          suspect,
          pace,
          budget,
          ids,
        });
      } finally {
        await suspect.close();
      }
    } finally {
      await attempts.close();
    }
  } finally {
    await runLog.close();
  }
}

/** How many times the limit of one request a suspect may answer nothing but "too many requests". */
const patienceFactor = 10;

/** What the suspect says it gives; fails early when it cannot be asked at all. */
async function givenBy(
  prepared: PreparedAudit,
  options: AuditOptions,
): Promise<readonly Capability[]> {
  const suspect = openSuspect(prepared, options);
  try {
    return (await suspect.describe({ signal: options.signal })).gives;
  } finally {
    await suspect.close();
  }
}

interface OpenedRun extends StartedRun {
  readonly runLog: ChainedRunLog;
  readonly suspect: RemoteClassifier;
  readonly pace: Pace;
  readonly budget: Budget;
  /** Probes by what they ask, for suspects that are records: those hold no questions. */
  readonly ids: Map<string, string>;
}

async function askAndReport(
  prepared: PreparedAudit,
  options: AuditOptions,
  { run, sealed, text, runLog, suspect, pace, budget, ids }: OpenedRun,
): Promise<AuditReport> {
  const { project, profile, keyRing, tenant, epoch, records } = prepared;
  const { audit } = project.config;
  const startedAt = new Date();
  const description = await suspect.describe({ signal: options.signal });
  const material = decodeMaterial(text, {
    profile,
    keys: classifierKeys(keyRing.epochKey(tenant, epoch)),
    epochCommitment: keyRing.commitment(tenant, epoch),
    records,
    questionsNotChosenFromAnswers: sealed.plan.assumptions.includes(replayAssumption),
    referencesExchangeable: sealed.plan.assumptions.includes(exchangeabilityAssumption),
  });
  for (const { id, input } of knownProbes(material)) {
    ids.set(inputDigest(input).toString('hex'), id);
  }
  const stopWhen = stopRuleOf(sealed.plan);
  const findings = await conductAudit({
    material,
    suspect,
    gives: sealed.plan.gives,
    runLog,
    batchSize: audit.batchSize,
    disguise: {
      seed: sealed.plan.audit ?? sealed.hash,
      coverPerTrap: audit.coverPerTrap,
      pauseMilliseconds: audit.pauseMilliseconds,
    },
    pace,
    millisecondsOf: (probe) => runLog.millisecondsOf(probe),
    ...(stopWhen && { stopWhen }),
    signal: options.signal,
    ...(options.progress && { progress: options.progress }),
  });
  const power = await powerOf(project, sealed.plan, material, records);
  const judgement = judge(sealed.plan, findings.evidence, power);
  const report = reportOf({
    sealed,
    epochRetiredAt: prepared.retiredAt,
    findings,
    judgement,
    power,
    epochCreatedAt: keyRing.epochs(tenant).find((each) => each.epoch === epoch)!.createdAt,
    records,
    spending: budget.spending,
    limits: audit.budget,
    tiers: tiersOf(project.config.policy),
    description: { ...description, ...(options.suspectName && { name: options.suspectName }) },
    counts: suspect.counts(),
    traps: await trapFindings(project, sealed.plan),
    startedAt,
    finishedAt: new Date(),
  });
  const dossier = await writeDossier({
    ...{ prepared, sealed, material, materialText: text, findings, judgement, report },
    directory: options.out,
    name: dossierName(options),
    leftOut: [...shownTests(sealed.plan.gives, [])].filter((test) =>
      options.redact?.includes(test),
    ),
    now: new Date(),
  });
  if (typeof dossier === 'string') options.onNotice?.(dossier);
  const complete = await followPolicy(
    { ...report, dossier: typeof dossier === 'string' ? null : dossier },
    project.config.policy,
    options,
  );
  await run.writeReport('json', renderJson(complete));
  await run.writeReport('html', renderHtml(complete));
  return complete;
}

/** Runs what the policy asks for, once everything that it can refer to is on disk. */
async function followPolicy(
  report: AuditReport,
  policy: PolicyConfig,
  { signal, onNotice }: Pick<AuditOptions, 'signal' | 'onNotice'>,
): Promise<AuditReport> {
  const { tier } = policyActions(report, policy);
  const dossierDigest = report.dossier?.digest ?? null;
  const outcomes = await runPolicy(report, { policy, signal, dossierDigest });
  for (const { says } of outcomes) onNotice?.(says);
  const actions = outcomes.map(({ tier: step, kind, done, dry }) => ({
    ...{ tier: step, kind, done, dry },
  }));
  return { ...report, policy: { tier, actions } };
}

function tiersOf({ notify, restrict, escalate }: PolicyConfig): TierThresholds {
  return { notify: notify.at, restrict: restrict.at, escalate: escalate.at };
}

/** The probes of an audit that are fixed before anything is answered. */
function knownProbes({ fresh, logged, coins, regionLots }: AuditMaterial): readonly Probe[] {
  const own = [...fresh, ...logged, ...coins].map(({ probe }) => probe);
  return [...own, ...regionLots.flatMap(({ probes }) => probes)];
}

/** What rehearsals made before the plan say of an audit like this one. */
async function powerOf(
  project: PreparedAudit['project'],
  plan: AuditPlan,
  { coins }: AuditMaterial,
  records: PreparedAudit['records'],
) {
  const answers = firstOccurrences(records).length;
  const planned = plannedAudit(plan, { coins: coins.length, answers });
  return powerFor(await storedRehearsals(project), planned);
}

/** A suspect's name as a file name. */
function dossierName({ suspectName, out }: AuditOptions): string {
  const name = (suspectName ?? basename(out)).normalize('NFKD').replace(/[^\w.-]+/g, '-');
  return name.replace(/^[-.]+|[-.]+$/g, '').slice(0, 64) || 'audit';
}
