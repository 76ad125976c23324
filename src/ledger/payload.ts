import { createCipheriv, createDecipheriv } from 'node:crypto';
import { z } from 'zod';
import type { Input, ServedRecord } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { lengthPrefixed } from '../keys/encoding.ts';

/** What a gateway hands to the log; the log adds the sequence. */
export type UnnumberedRecord = Omit<ServedRecord, 'sequence'>;

const classIndex = z.number().int().nonnegative();
const payloadSchema = z.strictObject({
  schema: z.literal('touchmark/served-record@1'),
  tenant: z.string(),
  epoch: z.string(),
  servedAt: z.string(),
  modelVersion: z.string(),
  input: z.union([
    z.strictObject({ text: z.string() }),
    z.strictObject({ shape: z.array(classIndex), float32: z.base64() }),
  ]),
  clean: z.base64(),
  served: z.base64(),
  label: classIndex,
  marks: z.strictObject({
    probability: z.boolean(),
    coin: z
      .strictObject({ top: classIndex, second: classIndex, outcome: z.literal([0, 1]) })
      .optional(),
  }),
});

/**
 * Returns the bytes of a record that the chain commits to: JSON in which probabilities are base64
 * of little-endian float64 and tensors of little-endian float32, so every number comes back to the
 * last bit.
 */
export function encodeRecord(record: UnnumberedRecord): Buffer {
  const { tenant, epoch, servedAt, modelVersion, input, clean, served, label, marks } = record;
  const json =
    `{"schema":"touchmark/served-record@1","tenant":${JSON.stringify(tenant)},` +
    `"epoch":${JSON.stringify(epoch)},"servedAt":${JSON.stringify(servedAt)},` +
    `"modelVersion":${JSON.stringify(modelVersion)},"input":${encodeInput(input)},` +
    `"clean":"${encodeDoubles(clean)}","served":"${encodeDoubles(served)}",` +
    `"label":${label},"marks":${JSON.stringify(marks)}}`;
  return Buffer.from(json, 'utf8');
}

/**
 * Returns the record that `encodeRecord` encoded.
 *
 * @throws TouchmarkError LOG_INVALID when the bytes are no record of this version
 */
export function decodeRecord(bytes: Uint8Array, sequence: number): ServedRecord {
  const parsed = payloadSchema.safeParse(parseJson(Buffer.from(bytes).toString('utf8')));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TouchmarkError(
      'LOG_INVALID',
      `Record ${sequence} of the serving log is no touchmark/served-record@1: ` +
        `${issue?.path.join('.')}: ${issue?.message}.`,
      { hint: 'Read the log with the version of touchmark that wrote it, or a newer one.' },
    );
  }
  const { schema: _, input, clean, served, marks, ...rest } = parsed.data;
  return {
    sequence,
    ...rest,
    input: decodeInput(input),
    clean: decodeDoubles(clean),
    served: decodeDoubles(served),
    marks: {
      probability: marks.probability,
      ...(marks.coin && { coin: marks.coin }),
    },
  };
}

/** A payload on its way to the disk: encrypted, and bound to its place in the log. */
export interface SealedPayload {
  readonly sequence: number;
  /** base64, 12 random bytes; a sequence can come again after a crash, so it must not be the nonce. */
  readonly nonce: string;
  /** base64 of ciphertext and 16-byte tag. */
  readonly sealed: string;
}

/** Returns salt and payload encrypted by AES-256-GCM, bound to the sequence and the tenant. */
export function sealPayload(options: {
  readonly key: Uint8Array;
  readonly tenant: string;
  readonly sequence: number;
  readonly nonce: Uint8Array;
  readonly salt: Uint8Array;
  readonly payload: Uint8Array;
}): SealedPayload {
  const { key, tenant, sequence, nonce, salt, payload } = options;
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(place(sequence, tenant));
  const text = cipher.update(Buffer.concat([salt, payload]));
  cipher.final(); // gives no more bytes in this mode
  return {
    sequence,
    nonce: Buffer.from(nonce).toString('base64'),
    sealed: Buffer.concat([text, cipher.getAuthTag()]).toString('base64'),
  };
}

/** Bytes of salt in front of every payload, and of the nonce of its encryption. */
export const saltBytes = 16;
export const nonceBytes = 12;
const tagBytes = 16;

/** Returns salt and payload, or undefined when key, place or bytes are not those sealed. */
export function openPayload(
  key: Uint8Array,
  tenant: string,
  { sequence, nonce, sealed }: SealedPayload,
): { readonly salt: Buffer; readonly payload: Buffer } | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length < saltBytes + tagBytes) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64'));
    decipher.setAAD(place(sequence, tenant));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    const clear = Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()]);
    return { salt: clear.subarray(0, saltBytes), payload: clear.subarray(saltBytes) };
  } catch {
    return undefined;
  }
}

const sealedLine =
  /^\{"sequence":(0|[1-9]\d{0,15}),"nonce":"([A-Za-z0-9+/]{16})","sealed":"([A-Za-z0-9+/]+={0,2})"\}$/;

/** Returns the line of a sealed payload, without line break. */
export function sealedPayloadLine({ sequence, nonce, sealed }: SealedPayload): string {
  return `{"sequence":${sequence},"nonce":"${nonce}","sealed":"${sealed}"}`;
}

/** Returns the sealed payload on a line, or undefined when there is none. */
export function parseSealedPayload(line: string): SealedPayload | undefined {
  const [, sequence, nonce, sealed] = sealedLine.exec(line) ?? [];
  if (nonce === undefined || sealed === undefined) return undefined;
  return { sequence: Number(sequence), nonce, sealed };
}

const sealedStart = /^\{"sequence":(\d{1,16}),/;

/** Returns the sequence that a line of payloads says it is of, without reading the rest. */
export function sequenceOfLine(line: string): number | undefined {
  const [, sequence] = sealedStart.exec(line) ?? [];
  return sequence === undefined ? undefined : Number(sequence);
}

const placeLabel = lengthPrefixed('touchmark/v1/payload');

/** Returns the label, the sequence in decimal digits and the tenant, length-prefixed. */
function place(sequence: number, tenant: string): Buffer {
  return Buffer.concat([placeLabel, lengthPrefixed(`${sequence}`, tenant)]);
}

function encodeInput(input: Input): string {
  if (typeof input === 'string') return `{"text":${JSON.stringify(input)}}`;
  const bytes = Buffer.allocUnsafe(4 * input.data.length);
  input.data.forEach((value, index) => {
    bytes.writeFloatLE(value, 4 * index);
  });
  return `{"shape":${JSON.stringify(input.shape)},"float32":"${bytes.toString('base64')}"}`;
}

function decodeInput(input: z.infer<typeof payloadSchema>['input']): Input {
  if ('text' in input) return input.text;
  const bytes = Buffer.from(input.float32, 'base64');
  const read = (_: unknown, index: number) => bytes.readFloatLE(4 * index);
  return { shape: input.shape, data: Float32Array.from({ length: bytes.length / 4 }, read) };
}

function encodeDoubles(values: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(8 * values.length);
  for (let index = 0; index < values.length; index += 1) {
    bytes.writeDoubleLE(values[index]!, 8 * index);
  }
  return bytes.toString('base64');
}

function decodeDoubles(text: string): number[] {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(8 * index));
}
