import { requireServedMarks } from '../../audit/served-marks.ts';
import type { ServedRecord } from '../../contracts.ts';
import { readServingLog } from '../../ledger/read-log.ts';
import { requireValidLog, verifyServingLog } from '../../ledger/verify-log.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { readProfile } from '../../store/profile-file.ts';
import { pathExists } from '../../store/project-files.ts';
import type { ClassifierProfile } from '../../watermark/classifier-profile.ts';
import { requireBeginning } from '../epoch-records.ts';
import type { Project } from '../project.ts';

/** A tenant's epoch as the verified log has it. */
export interface LoggedEpoch {
  readonly profile: ClassifierProfile;
  readonly epochKey: Uint8Array;
  /** In served order; at least one. */
  readonly records: readonly ServedRecord[];
  /** The head of the chain up to which the log was verified. */
  readonly log: { readonly entries: number; readonly head: string };
}

/**
 * Reads what the log has of one tenant's epoch, after verifying the whole log and that its answers
 * were marked with the keys and the profile at hand. Where there is nothing to read yet, `why` says
 * so in a sentence.
 *
 * @throws TouchmarkError LOG_INVALID; EVIDENCE_INVALID; STORE_DAMAGED; TENANT_UNKNOWN or
 *   EPOCH_UNKNOWN for an epoch that the key ring lacks
 */
export async function readLoggedEpoch(
  { config, profilePath }: Project,
  keyRing: KeyRing,
  tenant: string,
  epoch: string,
): Promise<LoggedEpoch | { readonly why: string }> {
  const epochKey = keyRing.epochKey(tenant, epoch);
  const profile = await readProfile(profilePath);
  if (profile === undefined) {
    return {
      why: `There is no watermark profile ${profilePath}: nothing was served yet. Start \`touchmark serve\`.`,
    };
  }
  const { directory } = config.log;
  if (!(await pathExists(directory))) {
    return {
      why: `There is no serving log ${directory}: nothing was served yet. Start \`touchmark serve\`.`,
    };
  }
  const report = await verifyServingLog(directory);
  requireValidLog(report);
  requireBeginning(report, keyRing.commitment(tenant, epoch));
  if (report.tenants[tenant] === undefined) {
    return {
      why: `The serving log has no records of ${tenant}: it has asked nothing yet, or was erased.`,
    };
  }
  const records: ServedRecord[] = [];
  for await (const record of readServingLog(directory, { tenant, epoch })) {
    if (record.sequence < report.head.size && record.marks.probability) records.push(record);
  }
  if (records.length === 0) {
    return { why: `The serving log has no records of ${tenant} in ${epoch} yet.` };
  }
  requireServedMarks(records, epochKey, profile);
  return {
    profile,
    epochKey,
    records,
    log: { entries: report.head.size, head: report.head.hash },
  };
}
