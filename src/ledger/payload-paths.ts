import { join } from 'node:path';
import { namesIn } from './files.ts';
import { type Layout, segmentName, segmentNumbers, tenantHash } from './layout.ts';

/** Returns the payload file that all tenants share in a segment. */
export function payloadPath(layout: Layout, segment: number): string {
  return join(layout.payloads, segmentName(segment));
}

/**
 * Returns the payload files of one tenant each, as logs before version 3 wrote them, by segment.
 *
 * @param tenant whose files; without it everybody's
 */
export async function tenantPayloadPaths(
  layout: Layout,
  tenant?: string,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const folders =
    tenant === undefined
      ? (await namesIn(layout.payloads)).filter((name) => /^[0-9a-f]{32}$/.test(name))
      : [tenantHash(tenant)];
  const paths = new Map<number, string[]>();
  for (const folder of folders) {
    const directory = join(layout.payloads, folder);
    for (const number of await segmentNumbers(directory)) {
      const all = paths.get(number) ?? [];
      all.push(join(directory, segmentName(number)));
      paths.set(number, all);
    }
  }
  return paths;
}
