import type { ServedRecord, ServedText } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { ChainEntry } from './chain.ts';
import { type Checkpoint, readCheckpoints } from './checkpoints.ts';
import { type Layout, layoutOf, requireHeader } from './layout.ts';
import { decodeRecord } from './payload.ts';
import { listPayloadKeys, loadPayloadKey, type PayloadKey } from './payload-keys.ts';
import { type PayloadOpening, PayloadReader } from './segment-payloads.ts';
import { chainSegments } from './segments.ts';
import { decodeAnswer, isText, isTextPayload } from './text-payload.ts';

/** Which records to read. */
export interface RecordSelection {
  readonly tenant: string;
  readonly epoch?: string;
  /**
   * Called with the sequence of a record whose payload is gone, as a power cut can leave it. Without
   * it the reading stops with an error, because evidence must not rest on a chosen part of the log.
   */
  readonly onMissing?: (sequence: number) => void;
}

/**
 * Yields a classifier's records of a tenant in served order, each decrypted and checked against the
 * chain. Texts are passed over; payloads that were withheld or that expired are not there to be
 * yielded. Needs no lock: a gateway may be writing at the same time.
 *
 * @throws TouchmarkError TENANT_UNKNOWN naming the known tenants; LOG_INVALID naming file and line
 *   of the first thing that is not as it was written
 */
export async function* readServingLog(
  directory: string,
  selection: RecordSelection,
): AsyncGenerator<ServedRecord> {
  for await (const { record } of readServingLogWithOpenings(directory, selection)) yield record;
}

/** A record with what proves to others that the chain committed to it. */
export interface OpenedRecord extends PayloadOpening {
  readonly record: ServedRecord;
}

/**
 * Yields as `readServingLog`, each record with its chain entry, its salt and its bytes:
 * `commitToPayload(salt, payload)` is the entry's commitment, `decodeRecord(payload, sequence)` the
 * record.
 *
 * @throws TouchmarkError as `readServingLog`
 */
export async function* readServingLogWithOpenings(
  directory: string,
  selection: RecordSelection,
): AsyncGenerator<OpenedRecord> {
  const { epoch } = selection;
  for await (const opening of openPayloadsOf(directory, selection)) {
    if (isTextPayload(opening.payload)) continue;
    const record = decodeRecord(opening.payload, opening.entry.sequence);
    if (epoch === undefined || record.epoch === epoch) yield { ...opening, record };
  }
}

/**
 * Yields the text answers of a tenant in served order; otherwise as `readServingLog`.
 *
 * @throws TouchmarkError as `readServingLog`
 */
export async function* readServedTexts(
  directory: string,
  selection: RecordSelection,
): AsyncGenerator<ServedText> {
  for await (const answer of readAnswers(directory, selection)) if (isText(answer)) yield answer;
}

/**
 * Yields the answers of a tenant of both kinds, records and texts, in served order; otherwise as
 * `readServingLog`.
 *
 * @throws TouchmarkError as `readServingLog`
 */
export async function* readAnswers(
  directory: string,
  selection: RecordSelection,
): AsyncGenerator<ServedRecord | ServedText> {
  const { epoch } = selection;
  for await (const { payload, entry } of openPayloadsOf(directory, selection)) {
    const answer = decodeAnswer(payload, entry.sequence);
    if (epoch === undefined || answer.epoch === epoch) yield answer;
  }
}

async function* openPayloadsOf(
  directory: string,
  { tenant, onMissing }: RecordSelection,
): AsyncGenerator<PayloadOpening> {
  const layout = layoutOf(directory);
  const header = await requireHeader(layout);
  const key = await requirePayloadKey(layout, tenant);
  const reader = await PayloadReader.ofTenant(layout, key);
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    const { opened, missing, problems } = await reader.open(segment);
    if (problems[0]) throw problems[0];
    for (const sequence of missing) {
      if (!onMissing) throw missingPayload(directory, sequence);
      onMissing(sequence);
    }
    yield* opened;
  }
}

/**
 * Returns the identifier of a log and all entries of its chain. Needs no lock; an unfinished last
 * line, as a gateway is just writing it, is left out.
 *
 * @throws TouchmarkError LOG_INVALID when there is no log, or naming file and line of its first break
 */
export async function readChain(
  directory: string,
): Promise<{ readonly identifier: string; readonly entries: readonly ChainEntry[] }> {
  const layout = layoutOf(directory);
  const header = await requireHeader(layout);
  const entries: ChainEntry[] = [];
  for await (const segment of chainSegments(layout, header)) {
    if (segment.broken) throw segment.broken;
    for (const entry of segment.entries) entries.push(entry);
  }
  return { identifier: header.identifier, entries };
}

/**
 * Returns the newest signed checkpoint of a log as the note to publish, or undefined when none is
 * signed. Needs no lock.
 *
 * @throws TouchmarkError LOG_INVALID when there is no log or a checkpoint is none of it
 */
export async function newestSignedCheckpoint(
  directory: string,
): Promise<Required<Checkpoint> | undefined> {
  const layout = layoutOf(directory);
  const { checkpoints } = await readCheckpoints(layout, await requireHeader(layout));
  const isSigned = (each: Checkpoint): each is Required<Checkpoint> => each.note !== undefined;
  return checkpoints.findLast(isSigned);
}

/**
 * Returns the earliest signed checkpoint that covers an entry, among those up to a size of the log;
 * undefined when none is signed. Needs no lock.
 *
 * @throws TouchmarkError LOG_INVALID when there is no log or a checkpoint is none of it
 */
export async function earliestSignedCheckpoint(
  directory: string,
  { covering, within }: { readonly covering: number; readonly within: number },
): Promise<Required<Checkpoint> | undefined> {
  const layout = layoutOf(directory);
  const { checkpoints } = await readCheckpoints(layout, await requireHeader(layout));
  return checkpoints.find(
    (each): each is Required<Checkpoint> =>
      each.note !== undefined && each.size > covering && each.size <= within,
  );
}

/**
 * Returns the payload key of a tenant that the log must know.
 *
 * @throws TouchmarkError TENANT_UNKNOWN naming the known tenants
 */
export async function requirePayloadKey(layout: Layout, tenant: string): Promise<PayloadKey> {
  const key = await loadPayloadKey(layout, tenant);
  if (key !== undefined) return key;
  const known = (await listPayloadKeys(layout)).map((each) => each.tenant);
  throw new TouchmarkError(
    'TENANT_UNKNOWN',
    `The serving log ${layout.directory} has no records of the tenant "${tenant}".`,
    {
      hint: `It has records of: ${known.slice(0, 20).join(', ') || 'nobody'}. Erased tenants are gone.`,
    },
  );
}

function missingPayload(directory: string, sequence: number): TouchmarkError {
  return new TouchmarkError(
    'LOG_INVALID',
    `Record ${sequence} of the serving log ${directory} has lost its payload.`,
    { hint: 'After a power cut the last tenth of a second can be missing; say so and skip it.' },
  );
}
