import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { TouchmarkError } from '../errors.ts';
import { keyBytes, lengthPrefixed, requireKey } from './encoding.ts';

/** What stands before the seed in the PKCS#8 form of an Ed25519 private key (RFC 8410, section 7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** What stands before the 32 bytes of an Ed25519 key in its SPKI form (RFC 8410, section 4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Returns the Ed25519 private key that signs checkpoints and dossiers. Its seed is HKDF-SHA256 (RFC
 * 5869) of the root without salt, with `("touchmark/v1/signing")`, length-prefixed, as info.
 *
 * @throws TouchmarkError INPUT_INVALID when the root does not have 32 bytes
 */
export function deriveSigningKey(root: Uint8Array): KeyObject {
  requireKey(root, 'root key');
  const info = lengthPrefixed('touchmark/v1/signing');
  const seed = hkdfSync('sha256', root, new Uint8Array(0), info, keyBytes);
  return createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, Buffer.from(seed)]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** Returns the public half of a private key, or a public key as it is. */
export function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === 'public' ? key : createPublicKey(key);
}

/** Returns what names a public key: SHA-256 of its SPKI form in DER, 64 hexadecimal digits. */
export function keyIdentifier(publicKey: KeyObject): string {
  return createHash('sha256').update(spkiOf(publicKey)).digest('hex');
}

/** Returns a public key's SPKI form in DER as base64. */
export function exportPublicKey(publicKey: KeyObject): string {
  return spkiOf(publicKey).toString('base64');
}

/**
 * Reads what `exportPublicKey` wrote, in that one spelling.
 *
 * @throws TouchmarkError EVIDENCE_INVALID for anything but an Ed25519 key
 */
export function importPublicKey(text: string): KeyObject {
  const bytes = Buffer.from(text, 'base64');
  const isEd25519 =
    bytes.length === spkiPrefix.length + keyBytes &&
    bytes.subarray(0, spkiPrefix.length).equals(spkiPrefix);
  if (isEd25519 && bytes.toString('base64') === text) {
    return publicKeyFromBytes(bytes.subarray(spkiPrefix.length));
  }
  throw new TouchmarkError('EVIDENCE_INVALID', 'The public key is no Ed25519 key.', {
    hint: 'Give the base64 of its SPKI form in DER, 60 characters.',
  });
}

/** Returns the 32 bytes of an Ed25519 key (RFC 8032, section 5.1.5). */
export function publicKeyBytes(publicKey: KeyObject): Buffer {
  return spkiOf(publicKey).subarray(spkiPrefix.length);
}

/** Returns the key that 32 bytes stand for. */
export function publicKeyFromBytes(bytes: Uint8Array): KeyObject {
  requireKey(bytes, 'public key');
  return createPublicKey({
    key: Buffer.concat([spkiPrefix, bytes]),
    format: 'der',
    type: 'spki',
  });
}

function spkiOf(key: KeyObject): Buffer {
  return publicKeyOf(key).export({ format: 'der', type: 'spki' });
}
