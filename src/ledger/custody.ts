import { join } from 'node:path';
import { z } from 'zod';
import type { ChainHead } from './chain.ts';
import { type ChainedFormat, openChainedFile, readChainedFile } from './chained-file.ts';

const custodyEventSchema = z.strictObject({
  at: z.iso.datetime(),
  what: z.enum([
    'plan-sealed',
    'run-finished',
    'dossier-made',
    'dossier-released',
    'rehearsal',
    'checkpoint-seen',
    'beacon-used',
    'timestamped',
  ]),
  /** SHA-256 of what was sealed, made, seen or used. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Whose key it is about, where it is about one. */
  key: z.strictObject({ tenant: z.string(), epoch: z.string() }).exactOptional(),
});

/** One thing that happened to the evidence of a project, by the clock of this machine. */
export type CustodyEvent = Readonly<z.infer<typeof custodyEventSchema>>;

const format: ChainedFormat<CustodyEvent> = {
  schema: custodyEventSchema,
  genesis: 'touchmark/v1/custody',
  label: 'touchmark/v1/custody-event',
  what: 'custody ledger',
  hint: 'The custody ledger was edited or belongs to a newer version. Restore it from a copy: plans and rehearsals that it no longer knows would not be charged.',
};

/** Another process writes for a moment only. */
const waitMilliseconds = 10_000;

/** Returns the path of the custody ledger in the directory that keeps it, `.touchmark`. */
export function custodyPath(directory: string): string {
  return join(directory, 'custody.jsonl');
}

/**
 * Returns what happened, oldest first, and the head of its chain; nothing when there is no ledger.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line of the first break
 */
export async function readCustody(
  directory: string,
): Promise<{ readonly events: readonly CustodyEvent[]; readonly head: ChainHead }> {
  const { events, head } = await readChainedFile(custodyPath(directory), format);
  return { events, head };
}

/**
 * Notes events, in order; when this resolves they survive a power cut.
 *
 * @throws TouchmarkError STORE_LOCKED when another process kept the ledger for 10 s; LOG_INVALID
 *   naming file and line; STORE_FULL or STORE_DAMAGED when the file system refuses
 */
export async function noteCustody(
  directory: string,
  events: readonly CustodyEvent[],
  now: Date,
): Promise<void> {
  const file = await openChainedFile(custodyPath(directory), format, { now, waitMilliseconds });
  try {
    await file.append(events);
  } finally {
    await file.close();
  }
}
