import { createHmac, timingSafeEqual } from 'node:crypto';
import { json } from '@sigstore/core';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { deriveRingKey } from '../keys/derivation.ts';
import { type RootSection, rootSectionSchema } from './root-section.ts';

const schemaName = 'touchmark/key-ring@1';

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
  epochs: z.array(z.unknown()),
  mac: z.string().regex(/^hmac-sha256:[0-9a-f]{64}$/),
});

/** One tenant's period of use of one key. */
export type EpochRecord = Readonly<z.infer<typeof epochSchema>>;
export type RingFile = Readonly<Omit<z.infer<typeof ringSchema>, 'epochs'>> & {
  readonly epochs: readonly EpochRecord[];
};

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
  const lines = epochs.map((epoch) => `\n    ${JSON.stringify(epoch)}`);
  const list = lines.length === 0 ? '[]' : `[${lines.join()}\n  ]`;
  const members = [
    `"schema": ${JSON.stringify(schemaName)}`,
    `"root": ${shownRoot}`,
    `"epochs": ${list}`,
    `"mac": ${JSON.stringify(macOf(root, content))}`,
  ];
  return `{\n  ${members.join(',\n  ')}\n}\n`;
}

/**
 * Returns what a ring file's text says, not yet authenticated. Neither the text nor the parser's
 * account of it, which would quote it, enters an error.
 *
 * @throws TouchmarkError KEY_RING_INVALID naming the file and what is wrong with it
 */
export function decodeRing(path: string, text: string): RingFile {
  const value = parse(path, text);
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
  const { epochs: unread, ...rest } = parsed.data;
  const epochs: EpochRecord[] = [];
  for (let index = 0; index < unread.length; index += 1) {
    const epoch = epochSchema.safeParse(unread[index]);
    if (!epoch.success) throw malformed(path, epoch.error, ['epochs', index]);
    epochs.push(epoch.data);
    unread[index] = undefined;
  }
  return { ...rest, epochs };
}

function malformed(
  path: string,
  { issues }: z.ZodError,
  within: readonly PropertyKey[] = [],
): TouchmarkError {
  const where = [...within, ...(issues[0]?.path ?? [])].join('.') || 'the top level';
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
  try {
    return JSON.parse(text);
  } catch {
    throw ringError(`${path} is not complete JSON.`);
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
