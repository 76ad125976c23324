import type { ServedRecord } from '../contracts.ts';
import { genesis } from './chain.ts';
import { layoutOf, readHeader, requireHeader } from './layout.ts';
import { decodeRecord } from './payload.ts';
import { listPayloadKeys } from './payload-keys.ts';
import { chainSegments, openSegmentPayloads } from './segments.ts';

/** What one pass over a serving log found. */
export interface LogScan {
  /** False when the directory holds no serving log. */
  readonly exists: boolean;
  /** Erasure notes of the chain. */
  readonly erasures: number;
}

/**
 * Passes every record of every tenant to `visit`, in served order within a tenant; records that were
 * erased, or that lost their payload in a power cut, are left out. Needs no lock.
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
  const keys = await listPayloadKeys(layout);
  let erasures = 0;
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    erasures += segment.entries.filter(({ kind }) => kind === 'erasure').length;
    for (const key of keys) {
      const { opened, problems } = await openSegmentPayloads(layout, segment, key);
      if (problems[0]) throw problems[0];
      for (const { entry, payload } of opened) visit(decodeRecord(payload, entry.sequence));
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
