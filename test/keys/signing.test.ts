import { createHash, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  deriveSigningKey,
  exportPublicKey,
  importPublicKey,
  keyIdentifier,
  publicKeyBytes,
  publicKeyFromBytes,
  publicKeyOf,
} from '../../src/keys/signing.ts';
import vectors from '../vectors/signing.json' with { type: 'json' };

const root = Buffer.from(vectors.root, 'hex');

describe('signing', () => {
  it('gives the frozen key, identifier and signature', () => {
    const key = deriveSigningKey(root);
    const publicKey = publicKeyOf(key);
    expect(exportPublicKey(publicKey)).toBe(vectors.publicKey);
    expect(keyIdentifier(publicKey)).toBe(vectors.identifier);
    expect(sign(null, Buffer.from(vectors.message), key).toString('base64')).toBe(
      vectors.signature,
    );
    expect(() => deriveSigningKey(root.subarray(1))).toThrow(/31 bytes/);
  });

  it('agrees with RFC 8032, section 7.1, test 1', () => {
    const bytes = Buffer.from(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      'hex',
    );
    const signature = Buffer.from(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      'hex',
    );
    const key = publicKeyFromBytes(bytes);
    expect(verify(null, Buffer.alloc(0), key, signature)).toBe(true);
    expect(publicKeyBytes(key)).toEqual(bytes);
  });

  it('reads a public key in one spelling only', () => {
    const { publicKey } = vectors;
    expect(keyIdentifier(importPublicKey(publicKey))).toBe(vectors.identifier);
    const identifier = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
    expect(identifier).toBe(vectors.identifier);
    const x25519 = Buffer.from(publicKey, 'base64');
    x25519[8] = 0x6e;
    const others = ['', ` ${publicKey}`, publicKey.slice(4), x25519.toString('base64')];
    for (const other of [...others, publicKey.replace('=', ''), `${publicKey}AAAA`]) {
      expect(() => importPublicKey(other)).toThrow(/no Ed25519 key/);
    }
  });
});
