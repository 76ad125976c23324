import { type KeyObject, randomBytes } from 'node:crypto';
import { layoutOf, requireHeader } from './layout.ts';
import { destroyTenant } from './payload-keys.ts';
import { requirePayloadKey } from './read-log.ts';
import { openServingLog } from './serving-log.ts';

/**
 * Erases what a tenant asked and was answered, and returns how many records that were. The chain
 * gets a note of the erasure and still verifies; of the tenant's records it keeps times and salted
 * commitments under a tag that nothing leads from any more. The note comes first, so an erasure that
 * is interrupted is completed when the log is opened next.
 *
 * @param signingKey signs the log's checkpoints, where the gateway signs them
 * @throws TouchmarkError STORE_LOCKED while a gateway holds the log; TENANT_UNKNOWN naming the known
 *   tenants; LOG_INVALID when there is no log or the chain is broken
 */
export async function eraseTenant(
  directory: string,
  tenant: string,
  now: Date,
  signingKey?: KeyObject,
): Promise<number> {
  const layout = layoutOf(directory);
  await requireHeader(layout);
  const log = await openServingLog(directory, {
    clock: () => now,
    ...(signingKey && { signingKey }),
  });
  try {
    const { tag } = await requirePayloadKey(layout, tenant);
    const records = await log.appendErasure(tag);
    await log.sync();
    await destroyTenant(layout, tenant, randomBytes);
    return records;
  } finally {
    await log.close();
  }
}
