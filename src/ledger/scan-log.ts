import type { ServedRecord } from '../contracts.ts';
import { genesis } from './chain.ts';
import { layoutOf, readHeader, requireHeader } from './layout.ts';
import { decodeRecord } from './payload.ts';
import { listPayloadKeys } from './payload-keys.ts';
import { PayloadReader } from './segment-payloads.ts';
import { chainSegments } from './segments.ts';
import { isTextPayload } from './text-payload.ts';

/** What one pass over a serving log found. */
export interface LogScan {
  /** False when the directory holds no serving log. */
  readonly exists: boolean;
  /** Erasure notes of the chain. */
  readonly erasures: number;
}

/**
 * Passes every classifier's record of every tenant to `visit`, in served order; texts, and records
 * whose payload was erased, withheld, expired or lost in a power cut, are left out. Needs no lock.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line of the first thing that is not as written
 */
export async function scanServingLog(
  directory: string,
  visit: (record: ServedRecord) => void,
): Promise<LogScan> {
  const layout = layoutOf(directory);
  const header = await readHeader(layout);
  if (header === undefined) return { exists: false, erasures: 0 };
  const reader = await PayloadReader.ofAll(layout, await listPayloadKeys(layout));
  let erasures = 0;
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    erasures += segment.entries.filter(({ kind }) => kind === 'erasure').length;
    const { opened, problems } = await reader.open(segment);
    if (problems[0]) throw problems[0];
    for (const { entry, payload } of opened) {
      if (!isTextPayload(payload)) visit(decodeRecord(payload, entry.sequence));
    }
  }
  return { exists: true, erasures };
}

/**
 * Returns the chain's hash after so many entries, for each of `sizes` that the log has reached.
 *
 * @throws TouchmarkError LOG_INVALID when there is no log, or naming file and line of its first break
 */
export async function chainHashesAt(
  directory: string,
  sizes: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const layout = layoutOf(directory);
  const header = await requireHeader(layout);
  const empty = genesis(header.identifier);
  const hashes = new Map(sizes.has(0) ? [[0, empty.hash]] : []);
  for await (const segment of chainSegments(layout, header)) {
    for (const { sequence, hash } of segment.entries) {
      if (sizes.has(sequence + 1)) hashes.set(sequence + 1, hash);
    }
    if (segment.broken) throw segment.broken;
  }
  return hashes;
}
