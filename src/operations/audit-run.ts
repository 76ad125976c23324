import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { exchangeabilityAssumption, replayAssumption } from '../audit/material.ts';
import { charges } from '../audit/multiplicity.ts';
import {
  type AuditPlan,
  digestOf,
  parseSealedPlan,
  type SealedPlan,
  sealPlan,
} from '../audit/plan.ts';
import { encodeMaterial, materialDigest } from '../audit/stored-material.ts';
import { provenanceTests } from '../audit/tests/registry.ts';
import type { Vouchers } from '../audit/vouchers.ts';
import type { Config } from '../config/schema.ts';
import type { Capability, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { displaySpecification } from '../models/adapters/registry.ts';
import { resolveSuspect } from '../models/adapters/suspect-names.ts';
import { AuditDirectory } from '../store/audit-directory.ts';
import { registerAudit, registeredAudits } from '../store/audit-register.ts';
import { toolkitVersion } from '../store/project-files.ts';
import { registerPath } from './audit-looks.ts';
import type { AuditOptions, PreparedAudit } from './audit-preparation.ts';
import { claimAuditTraps, noteShownRecords, requireClaims } from './audit-traps.ts';
import { configuredChain } from './audit-vouching.ts';

const unsealedPools =
  'the owner’s inputs were chosen without the keys and the answers served (not as sealed before serving)';

/** A run whose plan is sealed, and the text of its material. */
export interface StartedRun {
  readonly run: AuditDirectory;
  readonly sealed: SealedPlan;
  readonly text: string;
}

/** A run before its first question: who was to see the plan has seen it. */
export interface VouchedRun extends StartedRun {
  readonly vouchers: Vouchers;
}

/**
 * Claims the traps of a new audit, seals its plan, begins its run directory and registers it.
 *
 * @throws TouchmarkError RUN_CONFLICT when the directory holds a run
 */
export async function beginRun(
  prepared: PreparedAudit,
  options: AuditOptions,
  gives: readonly Capability[],
): Promise<StartedRun> {
  const { project, profile, keyRing, tenant, epoch, log, material } = prepared;
  if (material === undefined) throw new RangeError('a new audit needs computed material');
  const { shared, sealedPools, fingerprint } = material;
  const register = registerPath(project.directory);
  const { config } = project;
  const suspect = displaySpecification(resolveSuspect(options.suspect, config.suspects));
  await AuditDirectory.requireVacant(options.out);
  const audit = randomUUID();
  const { joined, lots, notices } = await claimAuditTraps(prepared, shared, {
    audit,
    suspect,
    operator: options.operator ?? null,
  });
  for (const notice of notices) options.onNotice?.(notice);
  const text = encodeMaterial({
    ...joined,
    ...(fingerprint && { fingerprint: fingerprint.stored }),
  });
  const earlier = (await registeredAudits(register)).filter((each) => each.suspect === suspect);
  const sealedAt = new Date().toISOString();
  const plan: AuditPlan = {
    schema: 'touchmark/audit-plan@4',
    audit,
    sealedAt,
    suspect,
    gives: [...gives],
    reading: readingOf(config),
    tenant,
    epoch,
    epochCommitment: keyRing.commitment(tenant, epoch),
    profile: digestOf(profile),
    protectedModel: { name: config.model.name, version: lastVersion(prepared.records) },
    labels: [...profile.labels],
    tests: provenanceTests.map(({ name }) => name),
    log: { ...log },
    material: materialDigest(text),
    probes: { logged: joined.logged.length, fresh: joined.fresh.length },
    traps: lots,
    ...(fingerprint && { fingerprint: fingerprint.sealed }),
    threshold: config.audit.threshold,
    stopping: config.audit.stopping,
    multiplicity: charges({
      tenants: keyRing.tenants().length,
      suspects: config.audit.suspects,
      audit: earlier.length + 1,
      coinsByStock: config.traps.lotsPerAudit > 0,
    }).map((charge) => ({ ...charge })),
    assumptions: [
      ...(config.audit.questionsNotChosenFromAnswers ? [replayAssumption] : []),
      ...(config.audit.referencesExchangeable &&
      (joined.regionLots.length > 0 || fingerprint !== undefined)
        ? [exchangeabilityAssumption]
        : []),
      ...(sealedPools ? [] : [unsealedPools]),
    ],
    beacon: (await configuredChain(config))?.hash ?? null,
    toolkit: await toolkitVersion(),
  };
  const sealed = sealPlan(plan);
  await noteShownRecords(prepared, plan, joined.coins);
  const run = await AuditDirectory.create(
    options.out,
    `${JSON.stringify(sealed, null, 2)}\n`,
    text,
  );
  await ensureRegistered(register, sealed);
  return { run, sealed, text };
}

/**
 * Opens an audit that was begun before.
 *
 * @throws TouchmarkError RUN_CONFLICT when it was sealed for something else; PLAN_INVALID
 */
export async function resumeRun(
  prepared: PreparedAudit,
  options: AuditOptions,
): Promise<StartedRun> {
  const run = await AuditDirectory.open(options.out);
  const sealed = parseSealedPlan(await run.readText('plan'), join(options.out, 'plan.json'));
  const text = await run.readMaterial((each) => materialDigest(each) === sealed.plan.material);
  const differs = [
    [
      'suspect',
      sealed.plan.suspect,
      displaySpecification(resolveSuspect(options.suspect, prepared.project.config.suspects)),
    ],
    ['reading of labels', sealed.plan.reading, readingOf(prepared.project.config)],
    ['list of tests', sealed.plan.tests.join(), provenanceTests.map(({ name }) => name).join()],
    ['toolkit', sealed.plan.toolkit, await toolkitVersion()],
    ['tenant', sealed.plan.tenant, prepared.tenant],
    ['epoch', sealed.plan.epoch, prepared.epoch],
    ['watermark profile', sealed.plan.profile, digestOf(prepared.profile)],
    ['material', sealed.plan.material, materialDigest(text)],
  ].find(([, was, is]) => was !== is);
  if (differs === undefined) {
    await requireClaims(prepared.project, sealed.plan);
    await ensureRegistered(registerPath(prepared.project.directory), sealed);
    return { run, sealed, text };
  }
  throw new TouchmarkError(
    'RUN_CONFLICT',
    `${options.out} was sealed for the ${differs[0]} ${differs[1]}, and this is ${differs[2]}`,
    { hint: 'resume with what was sealed, or start a new audit in an empty directory' },
  );
}

/** The settings that decide how a suspect's answers are read. */
function readingOf({ audit }: Config): string {
  return digestOf({ labelMap: audit.labelMap, suspectLabels: audit.suspectLabels ?? [] });
}

/** A run may have been resumed that a crash ended between sealing and registering. */
async function ensureRegistered(register: string, { plan, hash }: SealedPlan): Promise<void> {
  const { sealedAt, suspect, tenant } = plan;
  if ((await registeredAudits(register)).some((each) => each.plan === hash)) return;
  await registerAudit(register, { sealedAt, suspect, tenant, plan: hash });
}

function lastVersion(records: readonly ServedRecord[]): string {
  return records.at(-1)?.modelVersion ?? 'unknown';
}
