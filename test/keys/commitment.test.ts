import { describe, expect, it } from 'vitest';
import {
  commitToEpochKey,
  purposeCommitment,
  verifyCommitment,
} from '../../src/keys/commitment.ts';
import vectors from '../vectors/keys.json' with { type: 'json' };

describe('commitment', () => {
  it.each(vectors.epochs)('is frozen for $tenant $epoch', ({ tenant, epoch, key, commitment }) => {
    expect(commitToEpochKey(Buffer.from(key, 'hex'), tenant, epoch)).toBe(commitment);
  });

  it('verifies its own key, tenant and epoch only', () => {
    const key = Buffer.alloc(32, 1);
    const commitment = commitToEpochKey(key, 'ab', 'c');
    expect(verifyCommitment(commitment, key, 'ab', 'c')).toBe(true);
    expect(verifyCommitment(commitment, key, 'a', 'bc')).toBe(false);
    expect(verifyCommitment(commitment, key, 'ab', 'd')).toBe(false);
    expect(verifyCommitment(commitment, Buffer.alloc(32, 2), 'ab', 'c')).toBe(false);
    expect(verifyCommitment(`${commitment}0`, key, 'ab', 'c')).toBe(false);
    expect(verifyCommitment('', key, 'ab', 'c')).toBe(false);
  });

  it('refuses a key of the wrong length without showing it', () => {
    const attempt = () => commitToEpochKey(Buffer.from('sentinel'), 'a', 'e1');
    expect(attempt).toThrow(/epoch key has 8 bytes/);
    expect(attempt).not.toThrow(/sentinel/);
  });

  it('names the purpose of key material', () => {
    expect(purposeCommitment('sha256:00', 'label-coins')).toBe('sha256:00/label-coins');
  });
});
