import type { ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { ClassifierMarker } from '../watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';

const tolerance = 1e-9;

/**
 * Checks that log, key and profile belong together: every logged question, marked again, must get
 * the answer that the log says was served.
 *
 * Without this, records of another key or profile would be read as if chance had marked them, and
 * leaving out the ones that disagree would select by the coin.
 *
 * @throws TouchmarkError EVIDENCE_INVALID naming the first record that does not fit
 */
export function requireServedMarks(
  records: readonly ServedRecord[],
  epochKey: Uint8Array,
  profile: ClassifierProfile,
): void {
  if (records.length === 0) return;
  const marker = new ClassifierMarker(epochKey, profile);
  const odd = records.find((record) => {
    if (record.clean.length !== profile.labels.length) return true;
    const { served, label } = marker.mark(record.input, Float64Array.from(record.clean));
    return (
      label !== record.label ||
      served.some((value, k) => !(Math.abs(value - record.served[k]!) <= tolerance))
    );
  });
  if (odd === undefined) return;
  throw new TouchmarkError(
    'EVIDENCE_INVALID',
    `record ${odd.sequence} of the serving log was not marked with the key and the profile at hand`,
    {
      hint: 'restore the key ring and .touchmark/profile.json that the epoch was served with; an epoch keeps one of each',
    },
  );
}
