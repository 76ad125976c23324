import type { ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { LogReport } from '../ledger/verify-log.ts';

/**
 * Checks that the log still has an epoch from its beginning.
 *
 * A question whose first answer has expired looks new when it comes again, and its tenant knows the coin
 * by then: whoever remembers could ask only what agrees with a model that it wants accused.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when payloads expired since the epoch was sealed
 */
export function requireBeginning(
  { seals, expired }: Pick<LogReport, 'seals' | 'expired'>,
  commitment: string,
): void {
  const { through } = expired;
  const sealed = seals.find(({ digest }) => `sha256:${digest}` === commitment);
  if (through === undefined || (sealed !== undefined && sealed.sequence > through)) return;
  throw new TouchmarkError(
    'EVIDENCE_INVALID',
    `The log has lost the beginning of this epoch: records up to ${through} have expired.`,
    {
      hint: 'Audit an epoch that began later, and let log.retentionDays be longer than an epoch and its audits.',
    },
  );
}

/** Returns the records that carry a mark: others were served while marking failed, or by an unmarked route. */
export function markedRecords(records: readonly ServedRecord[]): readonly ServedRecord[] {
  return records.filter(({ marks }) => marks.probability);
}
