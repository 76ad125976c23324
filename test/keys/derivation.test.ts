import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deriveEpochKey,
  derivePurposeKey,
  deriveRingKey,
  deriveSealingKey,
  purposes,
} from '../../src/keys/derivation.ts';
import vectors from '../vectors/keys.json' with { type: 'json' };

const root = Buffer.from(vectors.root, 'hex');

describe('derivation', () => {
  it.each(vectors.epochs)('gives the frozen keys of $tenant $epoch', (vector) => {
    const { tenant, epoch } = vector;
    const beacon = Buffer.from(vector.beacon, 'hex');
    const options = beacon.length > 0 ? { root, tenant, epoch, beacon } : { root, tenant, epoch };
    const epochKey = deriveEpochKey(options);
    expect(epochKey.toString('hex')).toBe(vector.key);
    const derived = purposes.map((purpose) => [
      purpose,
      derivePurposeKey(epochKey, purpose).toString('hex'),
    ]);
    expect(Object.fromEntries(derived)).toEqual(vector.purposes);
  });

  it('gives the frozen ring key', () => {
    expect(deriveRingKey(root).toString('hex')).toBe(vectors.ringKey);
  });

  it('gives the frozen sealing key', () => {
    expect(deriveSealingKey(root).toString('hex')).toBe(vectors.sealingKey);
  });

  it('keeps ("ab", "c") and ("a", "bc") apart, and any two different pairs', () => {
    const key = (tenant: string, epoch: string) =>
      deriveEpochKey({ root, tenant, epoch }).toString('hex');
    expect(key('ab', 'c')).not.toBe(key('a', 'bc'));
    const name = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' });
    fc.assert(
      fc.property(name, name, name, name, (a, b, c, d) => {
        expect(key(a, b) === key(c, d)).toBe(a === c && b === d);
      }),
    );
  });

  it.each([
    ['a short root', { root: root.subarray(1), tenant: 'a', epoch: 'e1' }, /root key has 31 bytes/],
    ['an empty tenant', { root, tenant: '', epoch: 'e1' }, /tenant name "" has 0 bytes/],
    ['a long epoch', { root, tenant: 'a', epoch: 'é'.repeat(129) }, /epoch name .* has 258 bytes/],
    ['a lone surrogate', { root, tenant: 'a\ud800', epoch: 'e1' }, /"\\ud800" at position 1/],
    [
      'a short beacon',
      { root, tenant: 'a', epoch: 'e1', beacon: new Uint8Array(8) },
      /beacon has 8 bytes/,
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => deriveEpochKey(options)).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(/^Use|^Send/),
      }),
    );
  });

  it('never shows a key in an error', () => {
    const key = Buffer.from('sentinel-sentinel');
    for (const attempt of [() => derivePurposeKey(key, 'label-coins'), () => deriveRingKey(key)]) {
      expect(attempt).toThrow(/has 17 bytes/);
      expect(attempt).not.toThrow(/sentinel|73656e74/);
    }
  });
});
