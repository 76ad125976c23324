import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseJson } from '../json.ts';
import { readEntry } from './chain.ts';
import { guarded, readIfPresent, splitLines, syncDirectory } from './files.ts';
import { type Layout, segmentName, segmentNumbers } from './layout.ts';
import { payloadPath, tenantPayloadPaths } from './payload-paths.ts';

const mark = '"kind":"expired"';

/**
 * Returns the last sequence whose payload the chain says has expired, or -1. Looks for that only;
 * whether the chain holds is for others to verify.
 */
export async function expiredThrough(layout: Layout): Promise<number> {
  let through = -1;
  for (const number of await segmentNumbers(layout.segments)) {
    const bytes = await readIfPresent(join(layout.segments, segmentName(number)));
    if (bytes === undefined || !bytes.includes(mark)) continue;
    for (const line of splitLines(bytes).lines) {
      if (!line.includes(mark)) continue;
      const entry = readEntry(parseJson(line));
      if (entry?.kind === 'expired') through = Math.max(through, entry.through);
    }
  }
  return through;
}

/** Removes the payload files of segments, in either layout; those that are gone already count too. */
export async function removePayloads(layout: Layout, segments: readonly number[]): Promise<void> {
  if (segments.length === 0) return;
  const ofTenants = await tenantPayloadPaths(layout);
  const paths = segments.flatMap((number) => [
    payloadPath(layout, number),
    ...(ofTenants.get(number) ?? []),
  ]);
  for (const path of paths) await guarded('remove', path, () => rm(path, { force: true }));
  const directories = new Set([layout.payloads, ...paths.map((path) => dirname(path))]);
  for (const directory of directories) await syncDirectory(directory);
}
