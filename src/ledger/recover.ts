import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { TouchmarkError } from '../errors.ts';
import { type ChainHead, genesis, type SealedKind } from './chain.ts';
import { CheckpointedTree, readCheckpoints } from './checkpoints.ts';
import { removePayloads } from './expiry.ts';
import { guarded, readIfPresent, splitLines } from './files.ts';
import {
  type Layout,
  type LogHeader,
  logSchema,
  readHeader,
  segmentNumbers,
  writeHeader,
} from './layout.ts';
import { sequenceOfLine } from './payload.ts';
import { destroyTenant, listPayloadKeys, type RandomSource } from './payload-keys.ts';
import { payloadPath, tenantPayloadPaths } from './payload-paths.ts';
import { SegmentList } from './segment-list.ts';
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
  readonly segments: SegmentList;
  readonly recordsByTag: Map<string, number>;
  /** What `sealName` gives for every digest that the chain has. */
  readonly seals: Set<string>;
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
 * drops payloads that were never chained, completes interrupted erasures and expiries.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line of the first break
 */
export async function recover(layout: Layout, header: LogHeader): Promise<LogState> {
  const { checkpoints, rest } = await readCheckpoints(layout, header);
  const tree = new CheckpointedTree(layout, checkpoints);
  const recordsByTag = new Map<string, number>();
  const seals = new Set<string>();
  const erased = new Set<string>();
  const segments = new SegmentList();
  let expired = -1;
  let last: ChainSegment | undefined;
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    tree.add(segment.entries);
    segments.begin(segment.number);
    segments.add(segment.entries);
    for (const entry of segment.entries) {
      if (entry.kind === 'served') countRecord(recordsByTag, entry.tenantTag);
      else if (entry.kind === 'erasure') erased.add(entry.tenantTag);
      else if (entry.kind === 'sealed') seals.add(sealName(entry.what, entry.digest));
      else if (entry.kind === 'expired') expired = Math.max(expired, entry.through);
    }
    last = segment;
  }
  tree.finish();
  await cutTail(layout.checkpoints, rest);
  if (last) await cutTail(last.path, last.rest);
  await completeErasures(layout, erased);
  const gone = segments.removeThrough(expired).map(({ number }) => number);
  await removePayloads(layout, await withPayloads(layout, gone));
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
    segments,
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

/**
 * Counts one more served record of a tag. A new tag is copied, for it may be a slice of a whole file
 * that would then stay in memory.
 */
export function countRecord(recordsByTag: Map<string, number>, tag: string): void {
  const before = recordsByTag.get(tag);
  const key = before === undefined ? Buffer.from(tag, 'latin1').toString('latin1') : tag;
  recordsByTag.set(key, (before ?? 0) + 1);
}

/** Leaves out segments whose payloads are gone, which most expired ones are. */
async function withPayloads(layout: Layout, segments: readonly number[]): Promise<number[]> {
  const shared = new Set(await segmentNumbers(layout.payloads));
  const ofTenants = await tenantPayloadPaths(layout);
  return segments.filter((number) => shared.has(number) || ofTenants.has(number));
}

/** Only payload files from the last segment on can hold what was never chained. */
async function mendPayloads(layout: Layout, fromSegment: number, chained: number) {
  const present = new Set<number>();
  let [trimmedBytes, dropped] = [0, 0];
  for (const path of await payloadPathsFrom(layout, fromSegment)) {
    const { lines, rest } = splitLines((await readIfPresent(path)) ?? Buffer.alloc(0));
    const sequences = lines.map(sequenceOfLine);
    const orphan = sequences.findIndex((sequence) => (sequence ?? -1) >= chained);
    const orphans = orphan < 0 ? [] : lines.slice(orphan);
    const orphanBytes = orphans.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    await cutTail(path, orphanBytes + rest);
    for (const sequence of sequences) if (sequence !== undefined) present.add(sequence);
    trimmedBytes += rest;
    dropped += orphans.length;
  }
  return { present, trimmedBytes, dropped };
}

async function payloadPathsFrom(layout: Layout, segment: number): Promise<string[]> {
  const shared = (await segmentNumbers(layout.payloads)).filter((number) => number >= segment);
  const ofTenants = [...(await tenantPayloadPaths(layout))].filter(([number]) => number >= segment);
  return [
    ...shared.map((number) => payloadPath(layout, number)),
    ...ofTenants.flatMap(([, paths]) => paths),
  ];
}

async function completeErasures(layout: Layout, erased: ReadonlySet<string>): Promise<void> {
  if (erased.size === 0) return;
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
