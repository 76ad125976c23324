import type { SealedPlan } from '../audit/plan.ts';
import { provenanceTests } from '../audit/tests/registry.ts';
import { planDigest, type Vouchers } from '../audit/vouchers.ts';
import type { Description } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { openRunLog } from '../ledger/run-log.ts';
import type { AuditReport } from '../report/model.ts';
import { AuditDirectory } from '../store/audit-directory.ts';
import { askSuspect } from './audit-asking.ts';
import { concludeAudit } from './audit-conclusion.ts';
import {
  type AuditOptions,
  computeMaterial,
  openAudit,
  type PreparedAudit,
} from './audit-preparation.ts';
import { beginRun, resumeRun } from './audit-run.ts';
import { describeSuspect } from './audit-suspect.ts';
import { vouchForPlan } from './audit-vouching.ts';
import { type CustodyNote, noteOnce } from './custody.ts';

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
  const description = await describeSuspect(opened, options);
  return auditSuspect(await computeMaterial(opened, options), options, description);
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

/**
 * Seals a plan against one suspect, asks, judges and reports.
 *
 * @param known what the suspect said of itself, if it was asked
 */
export async function auditSuspect(
  prepared: PreparedAudit,
  options: AuditOptions,
  known?: Description,
): Promise<AuditReport> {
  const described = options.resume
    ? undefined
    : (known ?? (await describeSuspect(prepared, options)));
  const started = described
    ? await beginRun(prepared, options, described.gives)
    : await resumeRun(prepared, options);
  const runLog = await openRunLog(options.out, started.sealed.hash);
  try {
    const { config } = prepared.project;
    const { run, sealed } = started;
    const vouchers = await vouchForPlan(run, sealed, { config, signal: options.signal });
    await noteOnce(prepared.project, sealedNotes(sealed, vouchers));
    const vouched = { ...started, vouchers };
    const description = described ?? (await describeSuspect(prepared, options));
    const asked = await askSuspect(prepared, options, { ...vouched, runLog, description });
    const report = await concludeAudit(prepared, options, vouched, asked);
    await noteOnce(prepared.project, finishedNotes(sealed, report));
    return report;
  } finally {
    await runLog.close();
  }
}

function sealedNotes(
  { plan: { tenant, epoch }, hash }: SealedPlan,
  { planToken, beacon }: Vouchers,
): readonly CustodyNote[] {
  const digest = planDigest(hash).toString('hex');
  return [
    { what: 'plan-sealed', digest, key: { tenant, epoch } },
    ...(planToken === null ? [] : [{ what: 'timestamped', digest } as const]),
    ...(beacon === null ? [] : [{ what: 'beacon-used', digest } as const]),
  ];
}

function finishedNotes(
  { plan: { tenant, epoch }, hash }: SealedPlan,
  { dossier }: AuditReport,
): readonly CustodyNote[] {
  const digest = planDigest(hash).toString('hex');
  const made = dossier?.digest.replace(/^sha256:/, '');
  return [
    { what: 'run-finished', digest },
    ...(made === undefined
      ? []
      : [{ what: 'dossier-made', digest: made, key: { tenant, epoch } } as const]),
  ];
}
