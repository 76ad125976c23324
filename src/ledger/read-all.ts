import type { ServedRecord } from '../contracts.ts';
import { layoutOf, requireHeader } from './layout.ts';
import { decodeRecord } from './payload.ts';
import { listPayloadKeys } from './payload-keys.ts';
import { PayloadReader } from './segment-payloads.ts';
import { chainSegments } from './segments.ts';
import { isTextPayload } from './text-payload.ts';

/**
 * Yields the classifier's records of every tenant that was not erased, in served order; texts, and
 * records whose payload was withheld, expired or taken by a power cut, are left out. Reads the log
 * once, whatever the number of tenants. Needs no lock.
 *
 * @throws TouchmarkError LOG_INVALID when there is no log, or naming file and line of the first thing
 *   that is not as it was written
 */
export async function* readAllRecords(directory: string): AsyncGenerator<ServedRecord> {
  const layout = layoutOf(directory);
  const header = await requireHeader(layout);
  const reader = await PayloadReader.ofAll(layout, await listPayloadKeys(layout));
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    const { opened, problems } = await reader.open(segment);
    if (problems[0]) throw problems[0];
    for (const { payload, entry } of opened) {
      if (!isTextPayload(payload)) yield decodeRecord(payload, entry.sequence);
    }
  }
}
