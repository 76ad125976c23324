import { createHash } from 'node:crypto';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { lengthPrefixed } from '../keys/encoding.ts';
import { guarded, namesIn, readIfPresent } from './files.ts';

/** The files of one serving log; every one of them is versioned by `header`. */
export function layoutOf(directory: string) {
  return {
    directory,
    header: join(directory, 'log.json'),
    segments: join(directory, 'segments'),
    payloads: join(directory, 'payloads'),
    keys: join(directory, 'keys'),
    checkpoints: join(directory, 'checkpoints.jsonl'),
    timestamps: join(directory, 'timestamps', 'dated.jsonl'),
  } as const;
}
export type Layout = ReturnType<typeof layoutOf>;

/** Returns the file name of segment `number`, which counts from 1. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.jsonl`;
}

/** Returns the numbers of the segments in a directory, ascending. */
export async function segmentNumbers(directory: string): Promise<number[]> {
  const names = await namesIn(directory);
  return names
    .filter((name) => /^\d{8}\.jsonl$/.test(name))
    .map((name) => Number(name.slice(0, 8)));
}

/** Returns the name under which a tenant's key is filed: 32 hexadecimal digits. */
export function tenantHash(tenant: string): string {
  const message = lengthPrefixed('touchmark/v1/tenant-hash', tenant);
  return createHash('sha256').update(message).digest('hex').slice(0, 32);
}

/**
 * What this version writes. Since version 2 the chain may have sealed digests, and checkpoints
 * signatures; since version 3 all tenants share one payload file per segment, where each had a folder
 * of its own, and the chain may have withheld and expired payloads. Segments keep the layout in which
 * they were written.
 */
export const logSchema = 'touchmark/serving-log@3';

const headerSchema = z.strictObject({
  schema: z.enum([logSchema, 'touchmark/serving-log@2', 'touchmark/serving-log@1']),
  identifier: z.string().regex(/^[0-9a-f]{32}$/),
});
export type LogHeader = Readonly<z.infer<typeof headerSchema>>;

/**
 * Returns the header of the log in a directory, or undefined when there is no log.
 *
 * @throws TouchmarkError LOG_INVALID when the header is damaged or of a newer version
 */
export async function readHeader(layout: Layout): Promise<LogHeader | undefined> {
  const bytes = await readIfPresent(layout.header);
  if (bytes === undefined) return undefined;
  const value = parseJson(bytes.toString('utf8'));
  const parsed = headerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { schema } = z
    .object({ schema: z.string().catch('') })
    .catch({ schema: '' })
    .parse(value);
  const newer = /^touchmark\/serving-log@([4-9]|[1-9]\d+)$/.test(schema);
  throw new TouchmarkError(
    'LOG_INVALID',
    newer
      ? `${layout.header} says ${schema}; this version reads up to ${logSchema}.`
      : `${layout.header} is not the header of a serving log.`,
    { hint: newer ? 'Upgrade touchmark.' : 'Restore the file from a copy.' },
  );
}

/** Writes the header of a new log. */
export async function writeHeader(layout: Layout, header: LogHeader): Promise<void> {
  await guarded('write', layout.header, () =>
    writeFileAtomic(layout.header, `${JSON.stringify(header)}\n`, { mode: 0o600 }),
  );
}

/**
 * Returns the header of a log that must exist.
 *
 * @throws TouchmarkError LOG_INVALID when there is none
 */
export async function requireHeader(layout: Layout): Promise<LogHeader> {
  const header = await readHeader(layout);
  if (header !== undefined) return header;
  throw new TouchmarkError('LOG_INVALID', `There is no serving log in ${layout.directory}.`, {
    hint: 'Give the directory that the gateway writes to; it contains log.json.',
  });
}
