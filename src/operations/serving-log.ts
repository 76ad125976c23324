import type { KeyObject } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { openServingLog, type ServingLog } from '../ledger/serving-log.ts';
import { keptPayloads } from '../serve/kept-payloads.ts';
import type { EpochKeys } from '../serve/marking-ground.ts';

/**
 * Opens a project's serving log for writing, as its configuration says.
 *
 * @param keys asked at every answer, so that they may be read again
 * @param signingKey signs checkpoints; without it they are not signed
 * @throws TouchmarkError as `openServingLog`
 */
export function openProjectLog(
  { log }: Pick<Config, 'log'>,
  keys: () => EpochKeys,
  signingKey?: KeyObject,
): Promise<ServingLog> {
  const { directory, keeps: mode, sampleShare, ...settings } = log;
  return openServingLog(directory, {
    ...settings,
    keeps: keptPayloads({ mode, sampleShare, keys }),
    ...(signingKey && { signingKey }),
  });
}
