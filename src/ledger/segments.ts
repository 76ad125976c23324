import { join } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import { type ChainEntry, type ChainHead, genesis, verifyEntries } from './chain.ts';
import { readIfPresent, splitLines } from './files.ts';
import { type Layout, type LogHeader, segmentName, segmentNumbers } from './layout.ts';

/** One file of the chain, read and verified as far as it holds. */
export interface ChainSegment {
  readonly number: number;
  readonly path: string;
  readonly entries: readonly ChainEntry[];
  /** The head after the entries. */
  readonly head: ChainHead;
  /** Bytes of complete lines, and of the unfinished line after them. */
  readonly size: number;
  readonly rest: number;
  /** LOG_INVALID, when the chain breaks in this segment. */
  readonly broken?: TouchmarkError;
}

/** Returns LOG_INVALID about one line of one file. */
export function logInvalid(path: string, line: number, reason: string): TouchmarkError {
  return new TouchmarkError('LOG_INVALID', `${path}, line ${line} ${reason}.`, {
    hint: 'The log was changed after it was written. Restore it from a copy; do not edit it.',
  });
}

/** Reads the chain from its beginning, one segment at a time, up to the first break. */
export async function* chainSegments(
  layout: Layout,
  header: LogHeader,
): AsyncGenerator<ChainSegment> {
  let head = genesis(header.identifier);
  const numbers = await segmentNumbers(layout.segments);
  for (const number of numbers) {
    const path = join(layout.segments, segmentName(number));
    const bytes = (await readIfPresent(path)) ?? Buffer.alloc(0);
    const { lines, rest } = splitLines(bytes);
    const result = verifyEntries(head, lines);
    const broken =
      result.broken !== undefined
        ? logInvalid(path, result.broken.index + 1, result.broken.reason)
        : rest > 0 && number !== numbers.at(-1)
          ? logInvalid(path, lines.length + 1, 'has no end')
          : undefined;
    head = result.head;
    const size = bytes.length - rest;
    yield { number, path, entries: result.entries, head, size, rest, ...(broken && { broken }) };
    if (broken) return;
  }
}
