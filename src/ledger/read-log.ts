import type { ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { type Layout, layoutOf, requireHeader } from './layout.ts';
import { decodeRecord } from './payload.ts';
import { listPayloadKeys, loadPayloadKey, type PayloadKey } from './payload-keys.ts';
import { chainSegments, openSegmentPayloads } from './segments.ts';

/** Which records to read. */
export interface RecordSelection {
  readonly tenant: string;
  readonly epoch?: string;
  /**
   * Called with the sequence of a record whose payload is gone, as a power cut can leave it. Without
   * it the reading stops with an error, because evidence must not rest on a chosen part of the log.
   */
  readonly onMissing?: (sequence: number) => void;
}

/**
 * Yields a tenant's records in served order, each decrypted and checked against the chain. Needs no
 * lock: a gateway may be writing at the same time.
 *
 * @throws TouchmarkError TENANT_UNKNOWN naming the known tenants; LOG_INVALID naming file and line
 *   of the first thing that is not as it was written
 */
export async function* readServingLog(
  directory: string,
  { tenant, epoch, onMissing }: RecordSelection,
): AsyncGenerator<ServedRecord> {
  const layout = layoutOf(directory);
  const header = await requireHeader(layout);
  const key = await requirePayloadKey(layout, tenant);
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    const { opened, missing, problems } = await openSegmentPayloads(layout, segment, key);
    if (problems[0]) throw problems[0];
    for (const sequence of missing) {
      if (!onMissing) throw missingPayload(directory, sequence);
      onMissing(sequence);
    }
    for (const { sequence, payload } of opened) {
      const record = decodeRecord(payload, sequence);
      if (epoch === undefined || record.epoch === epoch) yield record;
    }
  }
}

/**
 * Returns the payload key of a tenant that the log must know.
 *
 * @throws TouchmarkError TENANT_UNKNOWN naming the known tenants
 */
export async function requirePayloadKey(layout: Layout, tenant: string): Promise<PayloadKey> {
  const key = await loadPayloadKey(layout, tenant);
  if (key !== undefined) return key;
  const known = (await listPayloadKeys(layout)).map((each) => each.tenant);
  throw new TouchmarkError(
    'TENANT_UNKNOWN',
    `The serving log ${layout.directory} has no records of the tenant "${tenant}".`,
    {
      hint: `It has records of: ${known.slice(0, 20).join(', ') || 'nobody'}. Erased tenants are gone.`,
    },
  );
}

function missingPayload(directory: string, sequence: number): TouchmarkError {
  return new TouchmarkError(
    'LOG_INVALID',
    `Record ${sequence} of the serving log ${directory} has lost its payload.`,
    { hint: 'After a power cut the last tenth of a second can be missing; say so and skip it.' },
  );
}
