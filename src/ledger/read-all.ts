import type { ServedRecord } from '../contracts.ts';
import { layoutOf, requireHeader } from './layout.ts';
import { decodeRecord } from './payload.ts';
import { listPayloadKeys } from './payload-keys.ts';
import { chainSegments, openSegmentPayloads } from './segments.ts';

/**
 * Yields the records of every tenant that was not erased, segment by segment, and in each tenant by
 * tenant; those whose payload a power cut took are left out. Reads the chain once, whatever the
 * number of tenants. Needs no lock.
 *
 * @throws TouchmarkError LOG_INVALID when there is no log, or naming file and line of the first thing
 *   that is not as it was written
 */
export async function* readAllRecords(directory: string): AsyncGenerator<ServedRecord> {
  const layout = layoutOf(directory);
  const header = await requireHeader(layout);
  const keys = await listPayloadKeys(layout);
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    for (const key of keys) {
      const { opened, problems } = await openSegmentPayloads(layout, segment, key);
      if (problems[0]) throw problems[0];
      for (const { payload, entry } of opened) yield decodeRecord(payload, entry.sequence);
    }
  }
}
