import { basename } from 'node:path';
import { powerFor } from '../audit/expected-power.ts';
import { judge } from '../audit/judgement.ts';
import { firstOccurrences } from '../audit/material.ts';
import { plannedAudit } from '../audit/rehearsal-applicability.ts';
import type { TierThresholds } from '../audit/verdict.ts';
import type { PolicyConfig } from '../config/policy.ts';
import { shownTests } from '../dossier/shown-tests.ts';
import { publicKeyOf } from '../keys/signing.ts';
import { operatorOf } from '../models/adapters/suspect-names.ts';
import { renderHtml } from '../report/html.ts';
import { renderJson } from '../report/json.ts';
import type { AuditReport } from '../report/model.ts';
import { readAnswers } from './audit-answers.ts';
import type { AskedSuspect } from './audit-asking.ts';
import { writeDossier } from './audit-dossier.ts';
import type { AuditOptions, PreparedAudit } from './audit-preparation.ts';
import { checkRelay } from './audit-relay.ts';
import { reportOf } from './audit-report.ts';
import type { VouchedRun } from './audit-run.ts';
import { trapFindings } from './audit-traps.ts';
import { earliestDatedCheckpoint } from './log-checkpoints.ts';
import { policyActions, runPolicy } from './policy.ts';
import { storedRehearsals } from './rehearse.ts';

/** Judges what a suspect answered, writes dossier and reports, and does what the policy asks for. */
export async function concludeAudit(
  prepared: PreparedAudit,
  options: AuditOptions,
  { run, sealed, text, vouchers }: VouchedRun,
  asked: AskedSuspect,
): Promise<AuditReport> {
  const { project, keyRing, tenant, epoch, records } = prepared;
  const { config } = project;
  const { material, findings, description } = asked;
  const answers = await readAnswers(options.out, sealed);
  const power = await powerOf(prepared, sealed.plan, material);
  const judgement = judge(sealed.plan, findings.evidence, power);
  const relay = await checkRelay(prepared, { plan: sealed.plan, material, answers });
  const spent = answers.unserved.size - relay.log.probes + relay.log.found;
  if (spent > answers.unserved.size / 2) options.onNotice?.(spentNotice(spent));
  const report = reportOf({
    ...asked,
    ...{ sealed, vouchers, judgement, power, records, answers },
    recordsDated: await areRecordsDated(prepared, sealed.plan),
    relay,
    operator: options.operator ?? operatorOf(options.suspect, config.suspects),
    epochRetiredAt: prepared.retiredAt,
    epochCreatedAt: keyRing.epochs(tenant).find((each) => each.epoch === epoch)!.createdAt,
    limits: config.audit.budget,
    tiers: tiersOf(config.policy),
    description: { ...description, ...(options.suspectName && { name: options.suspectName }) },
    traps: await trapFindings(project, sealed.plan),
  });
  const dossier = await writeDossier({
    ...{ prepared, sealed, vouchers, material, materialText: text, findings, judgement, report },
    directory: options.out,
    name: dossierName(options),
    leftOut: leftOutOf(asked, sealed.plan, options.redact),
    now: new Date(),
  });
  if (typeof dossier === 'string') options.onNotice?.(dossier);
  const complete = await followPolicy(
    { ...report, dossier: typeof dossier === 'string' ? null : dossier },
    config.policy,
    options,
  );
  await run.writeReport('json', renderJson(complete));
  await run.writeReport('html', renderHtml(complete));
  return complete;
}

/** The tests to leave out of a dossier, as far as they have anything to show. */
function leftOutOf(
  { findings }: AskedSuspect,
  { gives }: VouchedRun['sealed']['plan'],
  redact: readonly string[] = [],
): readonly string[] {
  const read = findings.evidence.filter(({ status }) => status !== 'not-applicable');
  return [...shownTests(gives, [])].filter(
    (test) => redact.includes(test) && read.some((each) => each.test === test),
  );
}

/** Questions that came through the gateway tell no relay any more, whoever asked them. */
function spentNotice(spent: number): string {
  return `${spent} questions that nobody should ask have been asked of the gateway: later audits can tell no relay by them. Put new ones into inputs.fresh for the next key.`;
}

async function areRecordsDated(
  { project, keyRing, records }: PreparedAudit,
  { log }: VouchedRun['sealed']['plan'],
): Promise<boolean> {
  const dated = await earliestDatedCheckpoint(
    project.config.log.directory,
    publicKeyOf(keyRing.signingKey()),
    { covering: records.at(-1)?.sequence ?? 0, within: log.entries },
  );
  return dated !== undefined;
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

/** What rehearsals made before the plan say of an audit like this one. */
async function powerOf(
  { project, records }: PreparedAudit,
  plan: VouchedRun['sealed']['plan'],
  { coins }: AskedSuspect['material'],
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
