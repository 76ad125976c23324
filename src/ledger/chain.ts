import { hash as hashOf } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../json.ts';
import { lengthPrefixed } from '../keys/encoding.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const position = { sequence: z.number().int().nonnegative(), at: z.iso.datetime() };
const ofTenant = { ...position, tenantTag: z.string().regex(/^[0-9a-f]{32}$/) };
const links = { previous: sha256, hash: sha256 };
const entrySchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...ofTenant, kind: z.literal('served'), commitment: sha256, ...links }),
  z.strictObject({
    ...ofTenant,
    kind: z.literal('erasure'),
    records: z.number().int().nonnegative(),
    ...links,
  }),
  z.strictObject({
    ...position,
    kind: z.literal('sealed'),
    what: z.enum(['epoch', 'profile', 'plan', 'pool']),
    digest: sha256,
    ...links,
  }),
  z.strictObject({ ...ofTenant, kind: z.literal('withheld'), commitment: sha256, ...links }),
  z.strictObject({
    ...position,
    kind: z.literal('expired'),
    through: z.number().int().nonnegative(),
    records: z.number().int().nonnegative(),
    ...links,
  }),
]);

/**
 * One line of the chain: a record was served, with its payload kept (`served`) or only committed to
 * (`withheld`); a tenant erased; a digest sealed; or payloads expired, those of all `records` that
 * were still kept up to the sequence `through`. It names a tenant only by a tag drawn from the
 * tenant's payload key, so that once the key is erased nothing leads from the line to a tenant, a
 * question or an answer.
 */
export type ChainEntry = Readonly<z.infer<typeof entrySchema>>;

/** What a digest in the chain is of: an epoch key's commitment, a profile, a plan, or a pool. */
export type SealedKind = Extract<ChainEntry, { kind: 'sealed' }>['what'];

type Unlinked<Entry> = Entry extends ChainEntry
  ? Omit<Entry, 'sequence' | keyof typeof links>
  : never;

/** What an entry says, before it is linked to the chain. */
export type ChainNote = Readonly<Unlinked<ChainEntry>>;

/** The end of a chain: how many entries it has, and the hash that the next one links to. */
export interface ChainHead {
  readonly size: number;
  readonly hash: string;
}

/** Returns the head of the empty chain of one log, so that entries cannot move between logs. */
export function genesis(logIdentifier: string): ChainHead {
  return { size: 0, hash: digest('touchmark/v1/serving-log', logIdentifier) };
}

/** Returns the entry that follows `head`; its sequence is the size of the chain so far. */
export function nextEntry(head: ChainHead, note: ChainNote): ChainEntry {
  return linkEntry(head, note).entry;
}

/** Returns the entry that follows `head`, and its line as `entryLine` spells it. */
export function linkEntry(
  head: ChainHead,
  note: ChainNote,
): { readonly entry: ChainEntry; readonly line: string } {
  const unlinked = { ...note, sequence: head.size, previous: head.hash };
  const spelled = spelling(unlinked);
  const hash = hashOfSpelling(spelled);
  return { entry: Object.assign(unlinked, { hash }), line: withHash(spelled, hash) };
}

/** Returns the head after an entry. */
export function headAfter(entry: ChainEntry): ChainHead {
  return { size: entry.sequence + 1, hash: entry.hash };
}

/** Returns the one spelling of an entry: a line of JSON with fixed order of keys, no line break. */
export function entryLine(entry: ChainEntry): string {
  return withHash(spelling(entry), entry.hash);
}

/**
 * Returns the commitment to a payload: SHA-256 of `("touchmark/v1/payload-commitment", salt,
 * payload)`, length-prefixed, in hexadecimal. The random salt (16 to 32 bytes) hides the payload
 * from those who could guess it.
 */
export function commitToPayload(salt: Uint8Array, payload: Uint8Array): string {
  const start = commitmentLabel.length;
  const message = Buffer.allocUnsafe(start + 8 + salt.length + payload.length);
  message.set(commitmentLabel);
  message.writeUInt32BE(salt.length, start);
  message.set(salt, start + 4);
  message.writeUInt32BE(payload.length, start + 4 + salt.length);
  message.set(payload, start + 8 + salt.length);
  return hashOf('sha256', message, 'hex');
}

const commitmentLabel = lengthPrefixed('touchmark/v1/payload-commitment');

/**
 * Reads lines that must continue the chain at `head`, byte for byte as `entryLine` spells them.
 * Returns the entries up to the first break, the head after them, and the break if there is one.
 */
export function verifyEntries(
  head: ChainHead,
  lines: readonly string[],
): {
  readonly entries: readonly ChainEntry[];
  readonly head: ChainHead;
  /** `index` counts from 0 within `lines`. */
  readonly broken?: { readonly index: number; readonly reason: string };
} {
  const entries: ChainEntry[] = [];
  let current = head;
  for (const [index, line] of lines.entries()) {
    const next = followingAnswer(current, line);
    if (next !== undefined) {
      entries.push(next);
      current = headAfter(next);
      continue;
    }
    const entry = parseEntry(line);
    const reason =
      entry === undefined ? 'is not a chain entry' : breakBetween(current, entry, line);
    if (entry === undefined || reason !== undefined) {
      return { entries, head: current, broken: { index, reason: reason ?? '' } };
    }
    entries.push(entry);
    current = headAfter(entry);
  }
  return { entries, head: current };
}

const answerLine =
  /^\{"sequence":(\d+),"kind":"(served|withheld)","at":"([^"\\]+)","tenantTag":"([0-9a-f]{32})","commitment":"([0-9a-f]{64})","previous":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/;
const hashLength = ',"hash":""}'.length + 64;
const time = z.iso.datetime();
let lastTime = '';

/**
 * Returns the entry of an answer that follows `head`, for the usual line: spelled as `entryLine`
 * spells it. Other lines are for the slower way, which can say what is wrong.
 */
function followingAnswer(head: ChainHead, line: string): ChainEntry | undefined {
  const [, sequence, kind, at, tenantTag, commitment, previous, hash] = answerLine.exec(line) ?? [];
  if (kind === undefined || at === undefined || tenantTag === undefined) return undefined;
  if (commitment === undefined || previous === undefined || hash === undefined) return undefined;
  if (sequence !== `${head.size}` || previous !== head.hash) return undefined;
  if (hashOfSpelling(`${line.slice(0, -hashLength)}}`) !== hash) return undefined;
  if (at !== lastTime && !time.safeParse(at).success) return undefined;
  lastTime = at;
  const isServed = kind === 'served';
  const fact = { at, tenantTag, commitment, sequence: head.size, previous, hash };
  return { kind: isServed ? 'served' : 'withheld', ...fact };
}

function breakBetween(head: ChainHead, entry: ChainEntry, line: string): string | undefined {
  if (entry.sequence !== head.size) return `has sequence ${entry.sequence} instead of ${head.size}`;
  if (entry.previous !== head.hash) return 'does not link to the entry before it';
  if (entry.hash !== entryHash(entry)) return 'does not have the hash of its content';
  if (line !== entryLine(entry)) return 'is not spelled as the log spells it';
  return undefined;
}

function parseEntry(line: string): ChainEntry | undefined {
  return entrySchema.safeParse(parseJson(line)).data;
}

/** Returns a value as an entry when it is one and has the hash of its content, else undefined. */
export function readEntry(value: unknown): ChainEntry | undefined {
  const { data } = entrySchema.safeParse(value);
  return data?.hash === (data && entryHash(data)) ? data : undefined;
}

type Placed = ChainNote & { readonly sequence: number; readonly previous: string };

function entryHash(entry: Placed): string {
  return hashOfSpelling(spelling(entry));
}

const entryLabel = lengthPrefixed('touchmark/v1/chain-entry');

/** Returns `digest('touchmark/v1/chain-entry', spelled)`, for a spelling in ASCII. */
function hashOfSpelling(spelled: string): string {
  const message = Buffer.allocUnsafe(entryLabel.length + 4 + spelled.length);
  entryLabel.copy(message);
  message.writeUInt32BE(spelled.length, entryLabel.length);
  message.write(spelled, entryLabel.length + 4, 'latin1');
  return hashOf('sha256', message, 'hex');
}

/** JSON in a fixed order of keys. Names, times, digits and numbers need no escapes. */
function spelling(entry: Placed): string {
  const { sequence, kind, at, previous } = entry;
  return `{"sequence":${sequence},"kind":"${kind}","at":"${at}",${factOf(entry)},"previous":"${previous}"}`;
}

function withHash(spelled: string, hash: string): string {
  return `${spelled.slice(0, -1)},"hash":"${hash}"}`;
}

function factOf(entry: ChainNote): string {
  switch (entry.kind) {
    case 'served':
    case 'withheld':
      return `"tenantTag":"${entry.tenantTag}","commitment":"${entry.commitment}"`;
    case 'erasure':
      return `"tenantTag":"${entry.tenantTag}","records":${entry.records}`;
    case 'sealed':
      return `"what":"${entry.what}","digest":"${entry.digest}"`;
    case 'expired':
      return `"through":${entry.through},"records":${entry.records}`;
  }
}

/** Returns SHA-256 of the length-prefixed parts, in hexadecimal. */
export function digest(...parts: readonly (string | Uint8Array)[]): string {
  return hashOf('sha256', lengthPrefixed(...parts), 'hex');
}
