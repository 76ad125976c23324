import { z } from 'zod';
import type { LoggedAnswer, ServedRecord, ServedText } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { decodeRecord, encodeRecord } from './payload.ts';

const schemaName = 'touchmark/served-text@1';

const payloadSchema = z.strictObject({
  schema: z.literal(schemaName),
  tenant: z.string(),
  epoch: z.string(),
  servedAt: z.string(),
  modelVersion: z.string(),
  request: z.string(),
  texts: z.array(z.string()),
  marks: z.strictObject({
    text: z.literal(['logit-bias', 'drafts', 'tokens', false]),
    drafts: z.number().int().positive().exactOptional(),
  }),
});

/** Decides whether an answer is a text; else it is a classifier's. */
export function isText<Text extends Omit<ServedText, 'sequence'>>(
  answer: Text | Omit<ServedRecord, 'sequence'>,
): answer is Text {
  return 'request' in answer;
}

/** Returns the bytes of an answer of either kind that the chain commits to. */
export function encodeAnswer(answer: LoggedAnswer): Buffer {
  return isText(answer) ? encodeText(answer) : encodeRecord(answer);
}

/** Returns the bytes of a text answer that the chain commits to: JSON that begins with its schema. */
export function encodeText(answer: Omit<ServedText, 'sequence'>): Buffer {
  const { tenant, epoch, servedAt, modelVersion, request, texts, marks } = answer;
  const { text, drafts } = marks;
  const payload: z.infer<typeof payloadSchema> = {
    ...{ schema: schemaName, tenant, epoch, servedAt, modelVersion, request, texts: [...texts] },
    marks: { text, ...(drafts !== undefined && { drafts }) },
  };
  return Buffer.from(JSON.stringify(payload), 'utf8');
}

const textStart = Buffer.from(`{"schema":"${schemaName}"`);

/** Decides whether the bytes of a payload are a text answer's. */
export function isTextPayload(bytes: Uint8Array): boolean {
  return textStart.equals(bytes.subarray(0, textStart.length));
}

/**
 * Returns the answer that `encodeAnswer` encoded.
 *
 * @throws TouchmarkError LOG_INVALID when the bytes are no answer of a known version
 */
export function decodeAnswer(bytes: Uint8Array, sequence: number): ServedRecord | ServedText {
  return isTextPayload(bytes) ? decodeText(bytes, sequence) : decodeRecord(bytes, sequence);
}

/**
 * Returns the answer that `encodeText` encoded.
 *
 * @throws TouchmarkError LOG_INVALID when the bytes are no text answer of this version
 */
export function decodeText(bytes: Uint8Array, sequence: number): ServedText {
  const parsed = payloadSchema.safeParse(parseJson(Buffer.from(bytes).toString('utf8')));
  if (parsed.success) {
    const { schema: _, ...text } = parsed.data;
    return { sequence, ...text };
  }
  const [issue] = parsed.error.issues;
  throw new TouchmarkError(
    'LOG_INVALID',
    `Record ${sequence} of the serving log is no ${schemaName}: ${issue?.path.join('.')}: ${issue?.message}.`,
    { hint: 'Read the log with the version of touchmark that wrote it, or a newer one.' },
  );
}
