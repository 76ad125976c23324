import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { TouchmarkError } from '../errors.ts';
import { type ChainHead, genesis, type SealedKind } from './chain.ts';
import { CheckpointedTree, readCheckpoints } from './checkpoints.ts';
import { guarded, namesIn, readIfPresent, splitLines } from './files.ts';
import {
  type Layout,
  type LogHeader,
  logSchema,
  readHeader,
  segmentName,
  segmentNumbers,
  writeHeader,
} from './layout.ts';
import { parseSealedPayload } from './payload.ts';
import { destroyTenant, listPayloadKeys, type RandomSource } from './payload-keys.ts';
import { type ChainSegment, chainSegments } from './segments.ts';

/** What opening a log had to mend after a crash; all zeros and empty after a clean close. */
export interface Recovery {
  /** Bytes of unfinished lines that were cut off. Nothing acknowledged is among them. */
  readonly trimmedBytes: number;
  /** Payloads without chain entry that were dropped. */
  readonly droppedPayloads: number;
  /** Sequences of the last segment whose payloads did not survive a power cut. */
  readonly missingPayloads: readonly number[];
}

/** Where a log stands, ready to be continued. */
export interface LogState {
  readonly identifier: string;
  readonly head: ChainHead;
  readonly tree: CheckpointedTree;
  /** The size of the newest checkpoint, and of the newest that is signed; 0 without one. */
  readonly checkpointed: number;
  readonly signed: number;
  readonly segment: { readonly number: number; readonly entries: number };
  readonly recordsByTag: Map<string, number>;
  /** What `sealName` gives for every digest that the chain has. */
  readonly seals: ReadonlySet<string>;
  readonly recovery: Recovery;
}

/** Makes the directories and the header of a log that does not exist yet. */
export async function prepareDirectory(layout: Layout, random: RandomSource): Promise<LogHeader> {
  for (const directory of [layout.segments, layout.payloads, layout.keys]) {
    await guarded('make', directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  }
  const present = await readHeader(layout);
  if (present !== undefined) {
    const header: LogHeader = { ...present, schema: logSchema };
    if (present.schema !== logSchema) await writeHeader(layout, header);
    return header;
  }
  if ((await segmentNumbers(layout.segments)).length > 0) {
    throw new TouchmarkError('LOG_INVALID', `${layout.header} is missing beside its segments.`, {
      hint: 'Restore the file from a copy; the chain cannot be continued without it.',
    });
  }
  const identifier = Buffer.from(random(16)).toString('hex');
  const header: LogHeader = { schema: logSchema, identifier };
  await writeHeader(layout, header);
  return header;
}

/**
 * Verifies the whole chain and its checkpoints, then mends what a crash left: cuts unfinished lines,
 * drops payloads that were never chained, completes interrupted erasures.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line of the first break
 */
export async function recover(layout: Layout, header: LogHeader): Promise<LogState> {
  const { checkpoints, rest } = await readCheckpoints(layout, header);
  const tree = new CheckpointedTree(layout, checkpoints);
  const recordsByTag = new Map<string, number>();
  const seals = new Set<string>();
  const erased = new Set<string>();
  let last: ChainSegment | undefined;
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    tree.add(segment.entries);
    for (const entry of segment.entries) {
      if (entry.kind === 'erasure') erased.add(entry.tenantTag);
      else if (entry.kind === 'sealed') seals.add(sealName(entry.what, entry.digest));
      else countRecord(recordsByTag, entry.tenantTag);
    }
    last = segment;
  }
  tree.finish();
  await cutTail(layout.checkpoints, rest);
  if (last) await cutTail(last.path, last.rest);
  await completeErasures(layout, erased);
  const head = last?.head ?? genesis(header.identifier);
  const payloads = await mendPayloads(layout, last?.number ?? 1, head.size);
  const missingPayloads = (last?.entries ?? [])
    .filter((entry) => entry.kind === 'served' && !erased.has(entry.tenantTag))
    .map(({ sequence }) => sequence)
    .filter((sequence) => !payloads.present.has(sequence));
  return {
    identifier: header.identifier,
    head,
    tree,
    checkpointed: checkpoints.at(-1)?.size ?? 0,
    signed: checkpoints.findLast(({ note }) => note !== undefined)?.size ?? 0,
    segment: { number: last?.number ?? 1, entries: last?.entries.length ?? 0 },
    recordsByTag,
    seals,
    recovery: {
      trimmedBytes: rest + (last?.rest ?? 0) + payloads.trimmedBytes,
      droppedPayloads: payloads.dropped,
      missingPayloads,
    },
  };
}

/** Returns the key of a digest among those that the chain has. */
export function sealName(what: SealedKind, digest: string): string {
  return `${what} ${digest}`;
}

/** Counts one more served record of a tag. */
export function countRecord(recordsByTag: Map<string, number>, tag: string): void {
  recordsByTag.set(tag, (recordsByTag.get(tag) ?? 0) + 1);
}

/** Only payload files from the last segment on can hold what was never chained. */
async function mendPayloads(layout: Layout, fromSegment: number, chained: number) {
  const present = new Set<number>();
  let [trimmedBytes, dropped] = [0, 0];
  for (const tenant of await namesIn(layout.payloads)) {
    const directory = join(layout.payloads, tenant);
    const numbers = await segmentNumbers(directory);
    for (const number of numbers.filter((each) => each >= fromSegment)) {
      const path = join(directory, segmentName(number));
      const { lines, rest } = splitLines((await readIfPresent(path)) ?? Buffer.alloc(0));
      const sequences = lines.map((line) => parseSealedPayload(line)?.sequence);
      const orphan = sequences.findIndex((sequence) => (sequence ?? -1) >= chained);
      const orphans = orphan < 0 ? [] : lines.slice(orphan);
      const orphanBytes = orphans.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
      await cutTail(path, orphanBytes + rest);
      for (const sequence of sequences) if (sequence !== undefined) present.add(sequence);
      trimmedBytes += rest;
      dropped += orphans.length;
    }
  }
  return { present, trimmedBytes, dropped };
}

async function completeErasures(layout: Layout, erased: ReadonlySet<string>): Promise<void> {
  for (const { tenant, tag } of await listPayloadKeys(layout)) {
    if (erased.has(tag)) await destroyTenant(layout, tenant, randomBytes);
  }
}

async function cutTail(path: string, bytes: number): Promise<void> {
  if (bytes === 0) return;
  await guarded('trim', path, async () => {
    const handle = await open(path, 'r+');
    try {
      await handle.truncate((await handle.stat()).size - bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}
