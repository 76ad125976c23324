import { z } from 'zod';
import { type ChainHead, digest } from './chain.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const sequence = z.int().nonnegative();

/** What a run log says of one probe: when and how it was answered. */
export const runPayloadSchema = z.strictObject({
  id: z.string(),
  /** ISO 8601, UTC: when the answer was recorded. */
  at: z.iso.datetime(),
  /** How long the answer took, where that is measured. */
  milliseconds: z.number().nonnegative().exactOptional(),
  /** Requests that were sent until the answer came, where that is counted. */
  attempts: z.int().positive().exactOptional(),
  outcome: z.union([
    z.strictObject({
      answer: z.strictObject({
        label: z.string(),
        probabilities: z.array(z.number()).readonly().exactOptional(),
      }),
    }),
    z.strictObject({ missing: z.enum(['refused', 'failed', 'unsupported']) }),
  ]),
});
export type RunPayload = Readonly<z.infer<typeof runPayloadSchema>>;

/** One line of a run log. `hash` covers the commitment only, so a payload may be left out later. */
export const runEntrySchema = z.strictObject({
  sequence,
  previous: sha256,
  commitment: sha256,
  hash: sha256,
  /** 16 random bytes: without them a payload could be guessed from its commitment. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  payload: runPayloadSchema,
});
export type RunEntry = Readonly<z.infer<typeof runEntrySchema>>;

/** A line whose answer is not shown. */
export const sealedRunEntrySchema = z.strictObject({
  sequence,
  previous: sha256.exactOptional(),
  commitment: sha256,
});
export type SealedRunEntry = Readonly<z.infer<typeof sealedRunEntrySchema>>;

/** Returns the head of the empty run log of one sealed plan: answers cannot move between audits. */
export function runGenesis(planHash: string): ChainHead {
  return { size: 0, hash: digest('touchmark/v1/run-log', planHash) };
}

/**
 * Returns the entry that follows `head`.
 *
 * @param salt 16 random bytes
 */
export function nextRunEntry(head: ChainHead, salt: Uint8Array, payload: RunPayload): RunEntry {
  return { ...entryAfter(head, salt, spelling(payload)), payload };
}

/** Returns the one spelling of an entry: RFC 8785 canonical JSON, no line break. */
export function runEntryLine(entry: RunEntry): string {
  return lineOf(entry, spelling(entry.payload));
}

/** Returns `runEntryLine` of the entry that follows `head`, and the head after it. */
export function nextRunLine(
  head: ChainHead,
  salt: Uint8Array,
  payload: RunPayload,
): { readonly line: string; readonly head: ChainHead } {
  const spelled = spelling(payload);
  const entry = entryAfter(head, salt, spelled);
  return { line: lineOf(entry, spelled), head: { size: head.size + 1, hash: entry.hash } };
}

/** Returns the entry without its answer. */
export function sealRunEntry({ sequence: position, previous, commitment }: RunEntry) {
  return { sequence: position, previous, commitment } satisfies SealedRunEntry;
}

/** Says why an entry cannot follow `head`; undefined when it does. */
export function runBreak(head: ChainHead, entry: RunEntry | SealedRunEntry): string | undefined {
  if (entry.sequence !== head.size) return `has sequence ${entry.sequence} instead of ${head.size}`;
  if (entry.previous !== undefined && entry.previous !== head.hash) {
    return 'does not link to the entry before it';
  }
  if (!('payload' in entry)) return undefined;
  if (entry.commitment !== commitTo(Buffer.from(entry.salt, 'hex'), spelling(entry.payload))) {
    return 'does not open its commitment';
  }
  return entry.hash === runEntryHash(head, entry.commitment)
    ? undefined
    : 'does not have the hash of its content';
}

/** Returns the head after an entry that follows `head`. */
export function runHeadAfter(head: ChainHead, { commitment }: SealedRunEntry): ChainHead {
  return { size: head.size + 1, hash: runEntryHash(head, commitment) };
}

/**
 * Checks that entries, with or without their answers, are the run log of a plan from its first line
 * on, and that none answers a probe a second time. Returns the head after the last good one, the
 * payloads that are shown, by position, and the break if there is one.
 */
export function verifyRunEntries(
  planHash: string,
  entries: readonly (RunEntry | SealedRunEntry)[],
): {
  readonly head: ChainHead;
  readonly payloads: ReadonlyMap<number, RunPayload>;
  /** `index` counts from 0 within `entries`. */
  readonly broken?: { readonly index: number; readonly reason: string };
} {
  let head = runGenesis(planHash);
  const payloads = new Map<number, RunPayload>();
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const reason = runBreak(head, entry);
    if (reason !== undefined) return { head, payloads, broken: { index, reason } };
    if ('payload' in entry) {
      if (seen.has(entry.payload.id)) {
        return { head, payloads, broken: { index, reason: 'answers a probe a second time' } };
      }
      seen.add(entry.payload.id);
      payloads.set(entry.sequence, entry.payload);
    }
    head = runHeadAfter(head, entry);
  }
  return { head, payloads };
}

function entryAfter(head: ChainHead, salt: Uint8Array, spelled: string): Omit<RunEntry, 'payload'> {
  const commitment = commitTo(salt, spelled);
  return {
    sequence: head.size,
    previous: head.hash,
    commitment,
    hash: runEntryHash(head, commitment),
    salt: Buffer.from(salt).toString('hex'),
  };
}

function lineOf(entry: Omit<RunEntry, 'payload'>, spelled: string): string {
  const { commitment, hash, previous, salt, sequence: position } = entry;
  return `{"commitment":"${commitment}","hash":"${hash}","payload":${spelled},"previous":"${previous}","salt":"${salt}","sequence":${position}}`;
}

function commitTo(salt: Uint8Array, spelled: string): string {
  return digest('touchmark/v1/run-payload', salt, spelled);
}

function runEntryHash({ size, hash }: ChainHead, commitment: string): string {
  return digest('touchmark/v1/run-entry', `${size}`, hash, commitment);
}

/** Canonical JSON by naming the fields in their order, at a fifth of a general canonicaliser's cost. */
function spelling({ at, attempts, id, milliseconds, outcome }: RunPayload): string {
  if (!('answer' in outcome)) return JSON.stringify({ at, attempts, id, milliseconds, outcome });
  const { label, probabilities } = outcome.answer;
  const answer = { label, probabilities };
  return JSON.stringify({ at, attempts, id, milliseconds, outcome: { answer } });
}
