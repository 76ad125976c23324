import type { TouchmarkError } from '../errors.ts';
import { type ChainEntry, commitToPayload } from './chain.ts';
import { expiredThrough } from './expiry.ts';
import { readIfPresent, splitLines } from './files.ts';
import type { Layout } from './layout.ts';
import { openPayload, parseSealedPayload, sequenceOfLine } from './payload.ts';
import type { PayloadKey } from './payload-keys.ts';
import { payloadPath, tenantPayloadPaths } from './payload-paths.ts';
import { type ChainSegment, logInvalid } from './segments.ts';

/** One payload in clear, and the entry of the chain that commits to it under the salt. */
export interface PayloadOpening {
  readonly entry: Extract<ChainEntry, { kind: 'served' }>;
  readonly salt: Buffer;
  readonly payload: Buffer;
}

/** What the payload files of one segment hold for those whose keys are at hand. */
export interface SegmentPayloads {
  /** In served order. */
  readonly opened: readonly PayloadOpening[];
  /** Sequences that the chain commits to and that no payload line holds, but for expired ones. */
  readonly missing: readonly number[];
  /** LOG_INVALID for every line that does not open to what the chain committed to. */
  readonly problems: readonly TouchmarkError[];
}

/** Opens the payloads of a log segment by segment, and checks each against the chain's commitment. */
export class PayloadReader {
  readonly #layout: Layout;
  readonly #keys: ReadonlyMap<string, PayloadKey>;
  readonly #tenantPaths: ReadonlyMap<number, readonly string[]>;
  readonly #readsAll: boolean;
  #expired = -1;

  private constructor(
    layout: Layout,
    keys: readonly PayloadKey[],
    tenantPaths: ReadonlyMap<number, readonly string[]>,
    readsAll: boolean,
  ) {
    this.#layout = layout;
    this.#keys = new Map(keys.map((key) => [key.tag, key]));
    this.#tenantPaths = tenantPaths;
    this.#readsAll = readsAll;
  }

  /** Reads one tenant's payloads: other lines are passed over, whatever they hold. */
  static async ofTenant(layout: Layout, key: PayloadKey): Promise<PayloadReader> {
    return new PayloadReader(layout, [key], await tenantPayloadPaths(layout, key.tenant), false);
  }

  /** Reads everybody's payloads: a line that belongs to no entry of the chain is a problem. */
  static async ofAll(layout: Layout, keys: readonly PayloadKey[]): Promise<PayloadReader> {
    return new PayloadReader(layout, keys, await tenantPayloadPaths(layout), true);
  }

  async open(segment: ChainSegment): Promise<SegmentPayloads> {
    const served = new Map<number, PayloadOpening['entry']>();
    for (const entry of segment.entries) {
      if (entry.kind !== 'served') continue;
      if (this.#readsAll || this.#keys.has(entry.tenantTag)) served.set(entry.sequence, entry);
    }
    if (served.size === 0 && !this.#readsAll) return { opened: [], missing: [], problems: [] };
    const opened: PayloadOpening[] = [];
    const problems: TouchmarkError[] = [];
    const unreadable: TouchmarkError[] = [];
    const tenantPaths = this.#tenantPaths.get(segment.number) ?? [];
    for (const path of [payloadPath(this.#layout, segment.number), ...tenantPaths]) {
      const { lines } = splitLines((await readIfPresent(path)) ?? Buffer.alloc(0));
      for (const [index, line] of lines.entries()) {
        const sequence = sequenceOfLine(line);
        if (sequence !== undefined && sequence >= segment.head.size) continue; // not yet chained
        const entry = sequence === undefined ? undefined : served.get(sequence);
        if (entry === undefined) {
          if (sequence === undefined) unreadable.push(logInvalid(path, index + 1, notAPayload));
          else if (this.#readsAll) {
            const reason = `has sequence ${sequence}, which the chain does not await`;
            problems.push(logInvalid(path, index + 1, reason));
          }
          continue;
        }
        served.delete(entry.sequence);
        const key = this.#keys.get(entry.tenantTag);
        if (key === undefined) continue; // erased
        const opening = openLine(line, entry, key);
        if (typeof opening === 'string') problems.push(logInvalid(path, index + 1, opening));
        else opened.push(opening);
      }
    }
    const missing = await this.#withoutExpired(
      [...served.values()]
        .filter(({ tenantTag }) => this.#keys.has(tenantTag))
        .map(({ sequence }) => sequence),
    );
    if (this.#readsAll || missing.length > 0) problems.push(...unreadable);
    if (tenantPaths.length > 0) opened.sort((a, b) => a.entry.sequence - b.entry.sequence);
    return { opened, missing, problems };
  }

  /** The chain says later what has expired, so it is asked only when something is not there. */
  async #withoutExpired(sequences: readonly number[]): Promise<readonly number[]> {
    const last = sequences.at(-1);
    if (last === undefined) return sequences;
    if (last > this.#expired) this.#expired = await expiredThrough(this.#layout);
    return sequences.filter((sequence) => sequence > this.#expired);
  }
}

const notAPayload = 'is not a payload';

/** Returns the payload on a line, or what is wrong with the line. */
function openLine(
  line: string,
  entry: PayloadOpening['entry'],
  { tenant, key }: PayloadKey,
): PayloadOpening | string {
  const sealed = parseSealedPayload(line);
  if (sealed === undefined) return notAPayload;
  const clear = openPayload(key, tenant, sealed);
  if (clear === undefined) return `(record ${entry.sequence}) does not decrypt`;
  return commitToPayload(clear.salt, clear.payload) === entry.commitment
    ? { entry, ...clear }
    : `(record ${entry.sequence}) is not what the chain committed to`;
}
