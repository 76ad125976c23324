import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { lengthPrefixed } from '../keys/encoding.ts';

type ScryptOptions = { N: number; r: number; p: number; maxmem: number };
const deriveKey = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** What is accepted is bounded, so that an edited file cannot claim all memory (at most 256 MiB). */
const scryptSchema = z.strictObject({
  N: z.literal([2 ** 14, 2 ** 15, 2 ** 16, 2 ** 17]),
  r: z.number().int().min(8).max(16),
  p: z.number().int().min(1).max(4),
  salt: z.base64().length(24),
});
type Scrypt = Readonly<z.infer<typeof scryptSchema>>;

/** The part of a key ring that says where its root key is. Binary values are base64. */
export const rootSectionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('plain'), secret: z.base64().length(44) }),
  z.strictObject({
    kind: z.literal('passphrase'),
    scrypt: scryptSchema,
    nonce: z.base64().length(16),
    sealed: z.base64().length(64),
  }),
  z.strictObject({ kind: z.literal('external') }),
]);
export type RootSection = Readonly<z.infer<typeof rootSectionSchema>>;

/**
 * Returns the root as a ring keeps it: in clear without a passphrase, else under AES-256-GCM with a
 * key from scrypt (RFC 7914; N = 2^15, r = 8, p = 1).
 *
 * @throws TouchmarkError KEY_RING_PASSPHRASE when the passphrase is empty
 */
export async function sealRoot(root: Uint8Array, passphrase?: string): Promise<RootSection> {
  if (passphrase === undefined) {
    return { kind: 'plain', secret: Buffer.from(root).toString('base64') };
  }
  if (passphrase === '') {
    throw new TouchmarkError('KEY_RING_PASSPHRASE', 'The passphrase of the key ring is empty.', {
      hint: 'Give a passphrase, or none at all for a ring that its file mode alone protects.',
    });
  }
  const settings: Scrypt = { N: 2 ** 15, r: 8, p: 1, salt: randomBytes(16).toString('base64') };
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', await stretch(passphrase, settings), nonce);
  cipher.setAAD(context(settings));
  const text = Buffer.concat([cipher.update(root), cipher.final(), cipher.getAuthTag()]);
  return {
    kind: 'passphrase',
    scrypt: settings,
    nonce: nonce.toString('base64'),
    sealed: text.toString('base64'),
  };
}

/**
 * Returns the root that a ring keeps.
 *
 * @throws TouchmarkError KEY_RING_PASSPHRASE when the passphrase is missing or wrong
 */
export async function openRoot(
  section: Exclude<RootSection, { readonly kind: 'external' }>,
  path: string,
  passphrase?: string,
): Promise<Buffer> {
  if (section.kind === 'plain') return Buffer.from(section.secret, 'base64');
  if (passphrase === undefined) throw passphraseError(`${path} needs a passphrase.`);
  const key = await stretch(passphrase, section.scrypt);
  const sealed = Buffer.from(section.sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(section.nonce, 'base64'));
  decipher.setAAD(context(section.scrypt));
  decipher.setAuthTag(sealed.subarray(32));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, 32)), decipher.final()]);
  } catch {
    throw passphraseError(`The passphrase does not open ${path}.`);
  }
}

function stretch(passphrase: string, { N, r, p, salt }: Scrypt): Promise<Buffer> {
  const text = passphrase.normalize('NFC');
  const maxmem = 2 * 128 * N * r;
  return deriveKey(text, Buffer.from(salt, 'base64'), 32, { N, r, p, maxmem });
}

function context({ N, r, p, salt }: Scrypt): Buffer {
  return lengthPrefixed('touchmark/v1/root-passphrase', `${N}`, `${r}`, `${p}`, salt);
}

function passphraseError(message: string): TouchmarkError {
  return new TouchmarkError('KEY_RING_PASSPHRASE', message, {
    hint: 'Give the passphrase that the key ring was made with. It cannot be recovered.',
  });
}
