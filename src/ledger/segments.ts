import { join } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import {
  type ChainEntry,
  type ChainHead,
  commitToPayload,
  genesis,
  verifyEntries,
} from './chain.ts';
import { readIfPresent, splitLines } from './files.ts';
import { type Layout, type LogHeader, segmentName, segmentNumbers, tenantHash } from './layout.ts';
import { openPayload, parseSealedPayload } from './payload.ts';
import type { PayloadKey } from './payload-keys.ts';

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

/** One payload in clear, and the entry of the chain that commits to it under the salt. */
export interface PayloadOpening {
  readonly entry: Extract<ChainEntry, { kind: 'served' }>;
  readonly salt: Buffer;
  readonly payload: Buffer;
}

/** What one tenant's payloads of one segment hold. */
export interface SegmentPayloads {
  readonly opened: readonly PayloadOpening[];
  /** Sequences that the chain commits to and that no payload line holds. */
  readonly missing: readonly number[];
  /** LOG_INVALID for every line that does not open to what the chain committed to. */
  readonly problems: readonly TouchmarkError[];
}

/** Opens one tenant's payloads of one segment and checks each against the chain's commitment. */
export async function openSegmentPayloads(
  layout: Layout,
  segment: ChainSegment,
  { tenant, tag, key }: PayloadKey,
): Promise<SegmentPayloads> {
  const path = join(layout.payloads, tenantHash(tenant), segmentName(segment.number));
  const { lines } = splitLines((await readIfPresent(path)) ?? Buffer.alloc(0));
  const awaited = new Map<number, PayloadOpening['entry']>();
  for (const entry of segment.entries) {
    if (entry.kind === 'served' && entry.tenantTag === tag) awaited.set(entry.sequence, entry);
  }
  const opened: PayloadOpening[] = [];
  const problems: TouchmarkError[] = [];
  for (const [index, line] of lines.entries()) {
    const problem = (reason: string) => problems.push(logInvalid(path, index + 1, reason));
    const sealed = parseSealedPayload(line);
    if (sealed === undefined) {
      problem('is not a payload');
      continue;
    }
    const { sequence } = sealed;
    if (sequence >= segment.head.size) continue; // written, but not yet chained
    const entry = awaited.get(sequence);
    const clear = openPayload(key, tenant, sealed);
    if (entry === undefined) problem(`has sequence ${sequence}, which the chain does not await`);
    else if (clear === undefined) problem(`(record ${sequence}) does not decrypt`);
    else if (commitToPayload(clear.salt, clear.payload) !== entry.commitment) {
      problem(`(record ${sequence}) is not what the chain committed to`);
    } else opened.push({ entry, ...clear });
    awaited.delete(sequence);
  }
  return { opened, missing: [...awaited.keys()], problems };
}
