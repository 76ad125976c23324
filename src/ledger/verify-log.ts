import type { KeyObject } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { TouchmarkError } from '../errors.ts';
import { type ChainEntry, type ChainHead, genesis, type SealedKind } from './chain.ts';
import { CheckpointedTree, readCheckpoints } from './checkpoints.ts';
import { type Layout, type LogHeader, layoutOf, requireHeader, segmentNumbers } from './layout.ts';
import { listPayloadKeys, type PayloadKey } from './payload-keys.ts';
import { countRecord } from './recover.ts';
import { PayloadReader } from './segment-payloads.ts';
import { type ChainSegment, chainSegments, logInvalid } from './segments.ts';

/** What the verification of a serving log found. */
export interface LogReport {
  /** Served records in the chain, erased ones included. */
  readonly records: number;
  /** Records by tenant, for every tenant whose payloads can be read. */
  readonly tenants: Readonly<Record<string, number>>;
  /** Answers that only a commitment was kept of. */
  readonly withheld: number;
  /** Served records whose payloads the chain says have expired, and up to which sequence. */
  readonly expired: { readonly records: number; readonly through?: number };
  /** Erasure notes of the chain. */
  readonly erased: readonly { readonly at: string; readonly records: number }[];
  /** Digests that the chain has, such as epoch commitments, oldest first. */
  readonly seals: readonly {
    readonly sequence: number;
    readonly at: string;
    readonly what: SealedKind;
    readonly digest: string;
  }[];
  /** Checkpoints whose Merkle roots are those of the chain. */
  readonly checkpoints: number;
  /** How many of them are signed. */
  readonly signedCheckpoints: number;
  readonly head: ChainHead;
  /** Every break, in the order found; the chain is read up to its first one. Empty when all is well. */
  readonly problems: readonly TouchmarkError[];
}

/** Long enough for a gateway to finish the line it is writing. */
const settleMilliseconds = 50;

/**
 * Checks the chain's hashes and links, its checkpoints against Merkle roots, and the payloads of
 * every tenant whose key exists against the chain's commitments. Needs no lock; payloads of tenants
 * that are new while it runs are left for the next time. It shows that the log is as it was written;
 * it cannot show that what was written is true.
 *
 * @param options.publicKey the key whose signatures signed checkpoints must have; without it the
 *   signatures are not checked
 * @throws TouchmarkError LOG_INVALID when there is no log; breaks are returned, not thrown
 */
export async function verifyServingLog(
  directory: string,
  { publicKey }: { readonly publicKey?: KeyObject } = {},
): Promise<LogReport> {
  const layout = layoutOf(directory);
  const header = await requireHeader(layout);
  const keys = await listPayloadKeys(layout);
  const run = new Verification(layout, keys);
  try {
    await run.chain(header, publicKey);
    await run.accounts();
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause)) throw cause;
    run.problems.push(cause);
  }
  return run.report(header);
}

/**
 * Throws the first problem of a report.
 *
 * @throws TouchmarkError LOG_INVALID naming file and line
 */
export function requireValidLog(report: LogReport): void {
  if (report.problems[0]) throw report.problems[0];
}

class Verification {
  readonly problems: TouchmarkError[] = [];
  readonly #layout: Layout;
  #keys: readonly PayloadKey[];
  readonly #tags = new Map<string, number>();
  readonly #seals: LogReport['seals'][number][] = [];
  readonly #erased = new Map<string, { readonly at: string; readonly records: number }>();
  #withheld = 0;
  /** Where segments end, and how many served records they have; expired ones are left out. */
  #kept: { readonly last: number; readonly served: number }[] = [];
  #expired: { readonly records: number; readonly through?: number } = { records: 0 };
  #tree: CheckpointedTree | undefined;
  #head: ChainHead | undefined;

  constructor(layout: Layout, keys: readonly PayloadKey[]) {
    this.#layout = layout;
    this.#keys = keys;
  }

  async chain(header: LogHeader, publicKey: KeyObject | undefined): Promise<void> {
    const { checkpoints } = await settledCheckpoints(this.#layout, header, publicKey);
    const tree = new CheckpointedTree(this.#layout, checkpoints);
    this.#tree = tree;
    const reader = await PayloadReader.ofAll(this.#layout, this.#keys);
    for await (const segment of settledSegments(this.#layout, header)) {
      this.#head = segment.head;
      this.#count(segment);
      tree.add(segment.entries);
      await this.#payloads(segment, reader);
      if (segment.broken) throw segment.broken;
      if (segment.rest > 0) {
        throw logInvalid(segment.path, segment.entries.length + 1, 'has no end');
      }
    }
    tree.finish();
  }

  /** Every tag must have a payload key or an erasure note, and not both. */
  async accounts(): Promise<void> {
    let live = this.#liveTags();
    if ([...this.#tags.keys()].some((tag) => !live.has(tag) && !this.#erased.has(tag))) {
      this.#keys = await listPayloadKeys(this.#layout); // of tenants that came meanwhile too
      live = this.#liveTags();
    }
    for (const [tag, records] of this.#tags) {
      if (live.has(tag) || this.#erased.has(tag)) continue;
      this.#problem(`${records} records under the tag ${tag} have no payload key`);
    }
    for (const [tag, { at }] of this.#erased) {
      if (live.has(tag)) this.#problem(`the erasure of ${at} is not complete: a key is left`);
    }
  }

  #liveTags(): ReadonlySet<string> {
    return new Set(this.#keys.map(({ tag }) => tag));
  }

  report(header: LogHeader): LogReport {
    const served = [...this.#tags.values()].reduce((total, records) => total + records, 0);
    const tenants = this.#keys.map(({ tenant, tag }) => [tenant, this.#tags.get(tag) ?? 0]);
    return {
      records: served,
      tenants: Object.fromEntries(tenants),
      withheld: this.#withheld,
      expired: this.#expired,
      erased: [...this.#erased.values()],
      seals: this.#seals,
      checkpoints: this.#tree?.checked ?? 0,
      signedCheckpoints: this.#tree?.signed ?? 0,
      head: this.#head ?? genesis(header.identifier),
      problems: this.problems,
    };
  }

  #count(segment: ChainSegment): void {
    for (const entry of segment.entries) this.#countEntry(entry);
    const served = segment.entries.filter(({ kind }) => kind === 'served').length;
    this.#kept.push({ last: segment.head.size - 1, served });
  }

  #countEntry(entry: ChainEntry): void {
    const { sequence, at } = entry;
    switch (entry.kind) {
      case 'served':
        countRecord(this.#tags, entry.tenantTag);
        break;
      case 'withheld':
        this.#withheld += 1;
        if (!this.#tags.has(entry.tenantTag)) this.#tags.set(entry.tenantTag, 0);
        break;
      case 'sealed':
        this.#seals.push({ sequence, at, what: entry.what, digest: entry.digest });
        break;
      case 'erasure': {
        const records = this.#tags.get(entry.tenantTag) ?? 0;
        this.#erased.set(entry.tenantTag, { at, records: entry.records });
        if (entry.records !== records) {
          this.#problem(`the erasure of ${at} counts ${entry.records} records, not ${records}`);
        }
        break;
      }
      case 'expired':
        this.#countExpired(entry);
    }
  }

  /** Whole segments expire, oldest first. */
  #countExpired({ at, through, records }: Extract<ChainEntry, { kind: 'expired' }>): void {
    const gone = this.#kept.filter(({ last }) => last <= through);
    this.#kept = this.#kept.slice(gone.length);
    const served = gone.reduce((sum, each) => sum + each.served, 0);
    if (gone.at(-1)?.last !== through) {
      this.#problem(`what expired at ${at} does not end with a segment`);
    } else if (served !== records) {
      this.#problem(`what expired at ${at} counts ${records} records, not ${served}`);
    }
    this.#expired = { records: this.#expired.records + records, through };
  }

  async #payloads(segment: ChainSegment, reader: PayloadReader): Promise<void> {
    const { missing, problems } = await reader.open(segment);
    this.problems.push(...problems);
    const [{ sequence: start } = { sequence: 0 }] = segment.entries;
    const lost = missing.filter((sequence) => {
      const entry = segment.entries[sequence - start];
      return entry?.kind === 'served' && !this.#erased.has(entry.tenantTag);
    });
    const [first] = lost;
    if (first === undefined) return;
    const others = lost.length > 1 ? `, nor have ${lost.length - 1} after it` : '';
    const reason = `(record ${first}) has no payload${others}`;
    this.problems.push(logInvalid(segment.path, first - start + 1, reason));
  }

  #problem(reason: string): void {
    const { directory } = this.#layout;
    this.problems.push(
      new TouchmarkError('LOG_INVALID', `In the serving log ${directory} ${reason}.`, {
        hint: 'Restore the missing files from a copy, or run the erasure again.',
      }),
    );
  }
}

/** Reads the chain again when its last line has no end, in case a gateway is just writing it. */
async function* settledSegments(layout: Layout, header: LogHeader): AsyncGenerator<ChainSegment> {
  let settled = 0;
  for await (const segment of chainSegments(layout, header)) {
    if (segment.rest > 0 && !segment.broken) break;
    yield segment;
    settled = segment.number;
    if (segment.broken) return;
  }
  const numbers = await segmentNumbers(layout.segments);
  if (settled === (numbers.at(-1) ?? 0)) return;
  await setTimeout(settleMilliseconds);
  for await (const segment of chainSegments(layout, header)) {
    if (segment.number > settled) yield segment;
  }
}

async function settledCheckpoints(
  layout: Layout,
  header: LogHeader,
  publicKey: KeyObject | undefined,
): ReturnType<typeof readCheckpoints> {
  const first = await readCheckpoints(layout, header, publicKey);
  if (first.rest === 0) return first;
  await setTimeout(settleMilliseconds);
  const second = await readCheckpoints(layout, header, publicKey);
  if (second.rest === 0) return second;
  throw logInvalid(layout.checkpoints, second.checkpoints.length + 1, 'has no end');
}
