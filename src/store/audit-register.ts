import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { storageError } from './secure-file.ts';

const entrySchema = z.strictObject({
  sealedAt: z.iso.datetime({ offset: true }),
  suspect: z.string(),
  tenant: z.string(),
  plan: z.string(),
});

/** One sealed plan; it stays listed whatever became of the audit. */
export type RegisteredAudit = z.infer<typeof entrySchema>;

/**
 * Returns the plans sealed so far, oldest first; every later audit of the same suspect pays for them.
 *
 * @throws TouchmarkError STORE_DAMAGED naming the line that cannot be read
 */
export async function registeredAudits(path: string): Promise<RegisteredAudit[]> {
  let text = '';
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) {
      throw storageError('read', path, cause);
    }
  }
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, index) => {
    try {
      return entrySchema.parse(JSON.parse(line));
    } catch (cause) {
      throw new TouchmarkError('STORE_DAMAGED', `${path}:${index + 1} is no registered audit.`, {
        hint: 'Restore the file from a copy: it says how often each suspect was audited.',
        cause,
      });
    }
  });
}

/** Lists a plan as sealed, before its first probe. */
export async function registerAudit(path: string, audit: RegisteredAudit): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await appendFile(path, `${JSON.stringify(audit)}\n`, { mode: 0o600, flush: true });
  } catch (cause) {
    throw storageError('write', path, cause);
  }
}
