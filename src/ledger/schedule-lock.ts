import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TouchmarkError } from '../errors.ts';
import { guarded } from './files.ts';
import { lockDirectory } from './lock.ts';

/**
 * Makes this process the one that rotates traps on schedule, and returns the function that ends it.
 *
 * @param directory the one that keeps the trap ledger; its own lock stays free between rotations
 * @param onLost called when this process slept for so long that another may have taken over
 * @throws TouchmarkError STORE_LOCKED naming the process that rotates already
 */
export async function lockSchedule(
  directory: string,
  now: Date,
  onLost: (error: TouchmarkError) => void,
): Promise<() => Promise<void>> {
  const path = join(directory, 'schedule');
  await guarded('make', path, () => mkdir(path, { recursive: true, mode: 0o700 }));
  return lockDirectory(path, now, onLost, { what: 'schedule of rotations' });
}
