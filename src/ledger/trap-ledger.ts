import { join } from 'node:path';
import { type TrapEvent, trapEventSchema } from '../traps/events.ts';
import {
  type ChainedContent,
  type ChainedFile,
  type ChainedFormat,
  openChainedFile,
  readChainedFile,
} from './chained-file.ts';

const format: ChainedFormat<TrapEvent> = {
  schema: trapEventSchema,
  genesis: 'touchmark/v1/trap-ledger',
  label: 'touchmark/v1/trap-event',
  what: 'stock of traps',
  hint: 'The trap ledger was edited or belongs to a newer version. Restore it from a copy, the newest there is: traps that an older one does not know as shown could be shown twice.',
};

/** What a trap ledger holds, checked from its first line to its last. */
export type TrapLedgerContent = ChainedContent<TrapEvent>;

/** A trap ledger that this process writes to, until it closes it. */
export type TrapLedger = ChainedFile<TrapEvent>;

/** Returns the path of the ledger in the directory that keeps it. */
export function trapLedgerPath(directory: string): string {
  return join(directory, 'ledger.jsonl');
}

/** Reads a trap ledger. @throws TouchmarkError as `readChainedFile` */
export function readTrapLedger(directory: string): Promise<TrapLedgerContent> {
  return readChainedFile(trapLedgerPath(directory), format);
}

/** Opens a trap ledger for writing. @throws TouchmarkError as `openChainedFile` */
export function openTrapLedger(
  directory: string,
  options: { readonly now: Date; readonly waitMilliseconds: number },
): Promise<TrapLedger> {
  return openChainedFile(trapLedgerPath(directory), format, options);
}
