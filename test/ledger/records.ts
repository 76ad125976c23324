import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export { recordOf, recordsOf, textOf } from './records-data.ts';

/** A directory that goes away with the test. */
export function temporaryDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, 'touchmark-ledger-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Where hundreds of small logs do not wait for a disk: in memory, where the system offers that. */
export const quickParent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export async function collect<Record>(records: AsyncIterable<Record>): Promise<Record[]> {
  const all: Record[] = [];
  for await (const record of records) all.push(record);
  return all;
}
