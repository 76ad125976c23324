import type { AuditPlan } from '../audit/plan.ts';
import type { StoredFingerprint } from '../audit/stored-material.ts';
import { TouchmarkError } from '../errors.ts';
import { fingerprintId } from '../fingerprints/fingerprint.ts';
import { fittingAnswers } from '../fingerprints/fitting-answers.ts';
import { requireFittingReferences } from '../fingerprints/fitting-references.ts';
import { type ClassifierProbeSet, decodeQuestion } from '../fingerprints/probe-set.ts';
import type { ReferenceNull } from '../fingerprints/reference-null.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { scanServingLog } from '../ledger/scan-log.ts';
import type { ServedModel } from '../serve/answering.ts';
import type { StoredDocument } from '../store/fingerprint-files.ts';
import type { FingerprintStore } from '../store/fingerprints.ts';
import { fingerprintsFolder } from './fingerprints/place.ts';
import type { Project } from './project.ts';

/** What an audit compares a suspect's quirks with, and what its plan seals of it. */
export interface AuditFingerprint {
  readonly stored: StoredFingerprint;
  readonly sealed: NonNullable<AuditPlan['fingerprint']>;
}

/**
 * Finds the newest fingerprint of the protected model that has reference models; says why there is
 * none, or none that may be used. Reference tests see no question that was served.
 *
 * @throws TouchmarkError FINGERPRINT_INVALID for files that do not fit each other
 */
export async function findAuditFingerprint(
  project: Project,
  { name, version, labels }: Pick<ServedModel, 'name' | 'version' | 'labels'>,
): Promise<AuditFingerprint | string | undefined> {
  const store = fingerprintsFolder(project.directory);
  const { documents } = await store.listReferences();
  if (documents.length === 0) return undefined;
  const newestFirst = [...documents].sort((one, two) =>
    two.document.createdAt.localeCompare(one.document.createdAt),
  );
  const complete = await Promise.all(newestFirst.map((references) => joined(store, references)));
  const fitting = complete.filter((each) => {
    if (each === undefined) return false;
    const { model } = each.fingerprint;
    const isSame = model.name === name && (model.version ?? 'unversioned') === version;
    return isSame && each.probes.labels.join('\n') === labels.join('\n');
  });
  const [newest] = fitting;
  if (newest === undefined) {
    return `Fingerprints are left out: those with references are of another model, version or label set than ${name} ${version}. Take it with \`touchmark fingerprints take --protected\`.`;
  }
  const { references, fingerprint, probes } = newest;
  requireFittingReferences(references.document, fittingAnswers(fingerprint, probes), probes);
  const asked = await askedByTenants(project, probes);
  if (asked > 0) {
    return `Fingerprints are left out: tenants have asked ${asked} of their questions. Put new ones into ${project.config.inputs.fingerprint}, and take the protected model's again.`;
  }
  const { quirks: nulls } = references.document;
  return {
    stored: { fingerprint, probes, nulls },
    sealed: {
      fingerprint: fingerprintId(fingerprint),
      probeSet: fingerprint.probeSet,
      references: references.id,
      questions: probes.questions.length + probes.repeated,
      weights: Object.fromEntries(nulls.map((quirk) => [quirk.name, quirk.weight])),
    },
  };
}

/** How many questions of a probe set any tenant was ever served an answer to. */
async function askedByTenants(
  { config }: Project,
  { questions }: ClassifierProbeSet,
): Promise<number> {
  const left = new Set(
    questions.map(({ input }) => inputDigest(decodeQuestion(input)).toString('hex')),
  );
  const before = left.size;
  await scanServingLog(config.log.directory, ({ input }) => {
    left.delete(inputDigest(input).toString('hex'));
  });
  return before - left.size;
}

/** References with the fingerprint and the probe set that they name; undefined when one is missing. */
async function joined(store: FingerprintStore, references: StoredDocument<ReferenceNull>) {
  const { fingerprint: id } = references.document;
  const found = await store.findFingerprint(id).catch((cause: unknown) => {
    if (TouchmarkError.isInstance(cause) && cause.code === 'USAGE') return undefined;
    throw cause;
  });
  const probes = found && (await store.probeSetOf(found));
  if (found?.document.task !== 'classify' || probes?.task !== 'classify') return undefined;
  return { references, fingerprint: found.document, probes };
}
