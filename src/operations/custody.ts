import { join } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import { type CustodyEvent, noteCustody, readCustody } from '../ledger/custody.ts';
import type { Project } from './project.ts';

/** What happened, before anybody says when. */
export type CustodyNote = Omit<CustodyEvent, 'at'>;

type Owner = Pick<Project, 'directory'>;

/**
 * Notes what happened to the evidence of a project, each thing once: what is resumed happened before.
 *
 * @throws TouchmarkError LOG_INVALID, STORE_LOCKED, STORE_FULL or STORE_DAMAGED
 */
export async function noteOnce(project: Owner, notes: readonly CustodyNote[]): Promise<void> {
  const directory = custodyDirectory(project);
  const { events } = await readCustody(directory);
  const now = new Date();
  const fresh = notes.filter(
    ({ what, digest }) => !events.some((event) => event.what === what && event.digest === digest),
  );
  if (fresh.length === 0) return;
  await noteCustody(
    directory,
    fresh.map((note) => ({ ...note, at: now.toISOString() })),
    now,
  );
}

/**
 * Checks that no dossier of an epoch has left the house: whoever holds one could make answers that
 * agree with the coins in it.
 *
 * @throws TouchmarkError TRAPS_EXPOSED naming the dossier and its day
 */
export async function requireUnreleased(
  project: Owner,
  tenant: string,
  epoch: string,
): Promise<void> {
  const { events } = await readCustody(custodyDirectory(project));
  const released = events.find(
    ({ what, key }) => what === 'dossier-released' && key?.tenant === tenant && key.epoch === epoch,
  );
  if (released === undefined) return;
  throw new TouchmarkError(
    'TRAPS_EXPOSED',
    `The marks of ${tenant}'s epoch ${epoch} are known since the dossier ${released.digest} was released on ${released.at}.`,
    { hint: 'Audit a later epoch with --epoch. Audits that were begun before can be resumed.' },
  );
}

function custodyDirectory({ directory }: Owner): string {
  return join(directory, '.touchmark');
}
