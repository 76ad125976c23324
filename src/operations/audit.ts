import { conductAudit } from '../audit/conduct.ts';
import { exchangeabilityAssumption, replayAssumption } from '../audit/material.ts';
import { decodeMaterial } from '../audit/stored-material.ts';
import { classifierKeys } from '../keys/classifier-keys.ts';
import { openClassifier } from '../models/adapters/registry.ts';
import type { RemoteClassifier } from '../models/adapters/remote.ts';
import { renderHtml } from '../report/html.ts';
import { renderJson } from '../report/json.ts';
import type { AuditReport } from '../report/model.ts';
import { RunDirectory } from '../store/run-directory.ts';
import {
  type AuditOptions,
  computeMaterial,
  openAudit,
  type PreparedAudit,
} from './audit-preparation.ts';
import { reportOf } from './audit-report.ts';
import { beginRun, resumeRun } from './audit-run.ts';
import { trapFindings } from './audit-traps.ts';

export { type AuditOptions, type PreparedAudit, prepareAudit } from './audit-preparation.ts';

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
    const { run, sealed, text } = resumed ?? (await beginRun(prepared, options, description.gives));
    try {
      const material = decodeMaterial(text, {
        profile,
        keys: classifierKeys(keyRing.epochKey(tenant, epoch)),
        epochCommitment: keyRing.commitment(tenant, epoch),
        records,
        questionsNotChosenFromAnswers: sealed.plan.assumptions.includes(replayAssumption),
        referencesExchangeable: sealed.plan.assumptions.includes(exchangeabilityAssumption),
      });
      const findings = await conductAudit({
        material,
        suspect,
        gives: sealed.plan.gives,
        runLog: run,
        batchSize: audit.batchSize,
        disguise: {
          seed: sealed.plan.audit ?? sealed.hash,
          coverPerTrap: audit.coverPerTrap,
          pauseMilliseconds: audit.pauseMilliseconds,
        },
        signal: options.signal,
        ...(options.progress && { progress: options.progress }),
      });
      const report = reportOf({
        sealed,
        epochRetiredAt: prepared.retiredAt,
        findings,
        description: { ...description, ...(options.suspectName && { name: options.suspectName }) },
        counts: suspect.counts(),
        traps: await trapFindings(project, sealed.plan),
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
