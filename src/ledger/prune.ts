import type { KeyObject } from 'node:crypto';
import { layoutOf, requireHeader } from './layout.ts';
import type { Expiry } from './log-writer.ts';
import { openServingLog } from './serving-log.ts';

/**
 * Has payloads of a log expire by hand, and returns how many; see `ServingLog.expire`.
 *
 * @param options.before all entries of a segment must be from before this time
 * @param options.signingKey signs the log's checkpoints, where the gateway signs them
 * @throws TouchmarkError STORE_LOCKED while a gateway holds the log; LOG_INVALID when there is no log
 *   or the chain is broken
 */
export async function pruneServingLog(
  directory: string,
  options: { readonly before: Date; readonly signingKey?: KeyObject },
): Promise<Expiry> {
  const { before, signingKey } = options;
  await requireHeader(layoutOf(directory));
  const log = await openServingLog(directory, signingKey && { signingKey });
  try {
    return await log.expire(before);
  } finally {
    await log.close();
  }
}
