import { z } from 'zod';
import { type ChainedFormat, openChainedFile, readChainedFile } from './chained-file.ts';
import { layoutOf } from './layout.ts';

const datedSchema = z.strictObject({
  /** The signed note that was dated. */
  checkpoint: z.string().max(10_000),
  /** An RFC 3161 token over SHA-256 of the note, DER in base64. */
  token: z.base64(),
});

/** A signed checkpoint and an authority's word for when there was one. */
export type DatedCheckpoint = Readonly<z.infer<typeof datedSchema>>;

const format: ChainedFormat<DatedCheckpoint> = {
  schema: datedSchema,
  genesis: 'touchmark/v1/dated-checkpoints',
  label: 'touchmark/v1/dated-checkpoint',
  what: 'list of dated checkpoints',
  hint: 'Restore the file from a copy: without it the records count as seen by nobody.',
};

const waitMilliseconds = 10_000;

/**
 * Returns the dated checkpoints of a log, in the order in which they were dated. Nobody has checked
 * their signatures and tokens.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line of the first break
 */
export async function readDatedCheckpoints(directory: string): Promise<readonly DatedCheckpoint[]> {
  return (await readChainedFile(layoutOf(directory).timestamps, format)).events;
}

/**
 * Keeps a dated checkpoint; when this resolves it survives a power cut.
 *
 * @throws TouchmarkError STORE_LOCKED, LOG_INVALID, STORE_FULL or STORE_DAMAGED
 */
export async function keepDatedCheckpoint(
  directory: string,
  dated: DatedCheckpoint,
  now: Date,
): Promise<void> {
  const { timestamps } = layoutOf(directory);
  const file = await openChainedFile(timestamps, format, { now, waitMilliseconds });
  try {
    await file.append([dated]);
  } finally {
    await file.close();
  }
}
