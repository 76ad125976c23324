import { createHmac, timingSafeEqual } from 'node:crypto';
import { json } from '@sigstore/core';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { deriveRingKey } from '../keys/derivation.ts';
import { type RootSection, rootSectionSchema } from './root-section.ts';

const schemaName = 'touchmark/key-ring@1';
/** What stands around the epochs, each on a line of its own. */
const epochsOpen = '\n  "epochs": [\n';
const epochsClose = '\n  ],\n  "mac": ';

const epochSchema = z.strictObject({
  tenant: z.string(),
  epoch: z.string().regex(/^e[1-9]\d*$/),
  createdAt: z.iso.datetime(),
  commitment: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** base64 */
  beacon: z.base64().optional(),
  closedAt: z.iso.datetime().optional(),
});
const ringSchema = z.strictObject({
  schema: z.literal(schemaName),
  root: rootSectionSchema,
  epochs: z.array(epochSchema),
  mac: z.string().regex(/^hmac-sha256:[0-9a-f]{64}$/),
});

/** One tenant's period of use of one key. */
export type EpochRecord = Readonly<z.infer<typeof epochSchema>>;
export type RingFile = Readonly<z.infer<typeof ringSchema>>;

/**
 * Returns the text of a ring file, an epoch on each line, authenticated by HMAC-SHA256 under a key
 * from the root.
 */
export function encodeRing(
  root: Uint8Array,
  content: { readonly root: RootSection; readonly epochs: readonly EpochRecord[] },
): string {
  const { root: section, epochs } = content;
  const shownRoot = JSON.stringify(section, undefined, 2).replaceAll('\n', '\n  ');
  const lines = epochs.map((epoch) => `    ${JSON.stringify(epoch)}`);
  const head = `{\n  "schema": "${schemaName}",\n  "root": ${shownRoot},`;
  const mac = JSON.stringify(macOf(root, content));
  return `${head}${epochsOpen}${lines.join(',\n')}${epochsClose}${mac}\n}\n`;
}

/**
 * Returns what a ring file's text says, not yet authenticated. Neither the text nor the parser's
 * account of it, which would quote it, enters an error.
 *
 * @throws TouchmarkError KEY_RING_INVALID naming the file and what is wrong with it
 */
export function decodeRing(path: string, text: string): RingFile {
  const byLines = readEpochLines(text);
  const value = parse(path, byLines?.rest ?? text);
  const { schema } = z
    .object({ schema: z.string().catch('') })
    .catch({ schema: '' })
    .parse(value);
  if (/^touchmark\/key-ring@\d+$/.test(schema) && schema !== schemaName) {
    throw ringError(
      `${path} says ${schema}; this version reads ${schemaName}.`,
      'Upgrade touchmark.',
    );
  }
  const parsed = ringSchema.safeParse(value);
  if (!parsed.success) throw malformed(path, parsed.error);
  return { ...parsed.data, epochs: byLines?.epochs ?? parsed.data.epochs };
}

/**
 * Reads the epochs of a text that `encodeRing` wrote, line by line, so that a large ring is never
 * there twice; undefined for any other text, also one as earlier versions wrote it.
 *
 * @returns the epochs, and the text without them
 */
function readEpochLines(
  text: string,
): { readonly epochs: EpochRecord[]; readonly rest: string } | undefined {
  const start = text.indexOf(epochsOpen);
  const end = text.lastIndexOf(epochsClose);
  if (start < 0 || end < start + epochsOpen.length) return undefined;
  const epochs: EpochRecord[] = [];
  for (let from = start + epochsOpen.length; from < end; ) {
    const newline = text.indexOf('\n', from);
    const until = newline < 0 || newline > end ? end : newline;
    const line = text.slice(from, until).replace(/,$/, '');
    const epoch = epochSchema.safeParse(jsonOf(line));
    if (!epoch.success) return undefined;
    epochs.push(epoch.data);
    from = until + 1;
  }
  return { epochs, rest: `${text.slice(0, start)}${epochsOpen}${text.slice(end)}` };
}

function malformed(path: string, { issues }: z.ZodError): TouchmarkError {
  const where = issues[0]?.path.join('.') || 'the top level';
  return ringError(`${path} is no ${schemaName}: ${where} is not as it was written.`);
}

/**
 * Checks that nothing in the ring was changed since it was written under this root.
 *
 * @throws TouchmarkError KEY_RING_INVALID naming the file
 */
export function authenticateRing(path: string, root: Uint8Array, ring: RingFile): void {
  if (timingSafeEqual(Buffer.from(ring.mac), Buffer.from(macOf(root, ring)))) return;
  throw ringError(
    ring.root.kind === 'external'
      ? `${path} was edited, or does not belong to the root key of its source.`
      : `${path} was edited after it was written.`,
  );
}

export function ringError(
  message: string,
  hint = 'Restore the key ring from a copy; do not edit it by hand.',
): TouchmarkError {
  return new TouchmarkError('KEY_RING_INVALID', message, { hint });
}

function parse(path: string, text: string): unknown {
  const value = jsonOf(text);
  if (value !== undefined) return value;
  throw ringError(`${path} is not complete JSON.`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The canonical form (RFC 8785) of what is authenticated goes in epoch by epoch: it can be large. */
function macOf(
  root: Uint8Array,
  content: { readonly root: RootSection; readonly epochs: readonly EpochRecord[] },
): string {
  const mac = createHmac('sha256', deriveRingKey(root)).update('{"epochs":[');
  content.epochs.forEach((epoch, index) => {
    mac.update(`${index === 0 ? '' : ','}${json.canonicalize(epoch)}`);
  });
  const rest = `],"root":${json.canonicalize(content.root)},"schema":"${schemaName}"}`;
  return `hmac-sha256:${mac.update(rest).digest('hex')}`;
}
