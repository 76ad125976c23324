import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  timestampRequest,
  tokenOfResponse,
  verifyTimestampToken,
} from '../../src/keys/timestamp.ts';
import fixture from '../vectors/timestamp.json' with { type: 'json' };
import { hasOpenssl, makeAuthority } from './timestamp-authority.ts';

const digest = createHash('sha256').update(fixture.message).digest();
const token = Buffer.from(fixture.token, 'base64');
const { time, authority, root } = fixture;
const nonce = Buffer.from('0123456789abcdef', 'hex');
const invalid = expect.objectContaining({ code: 'EVIDENCE_INVALID' });

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'touchmark-authority-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('a timestamp token', () => {
  it('says when its authority saw the digest', () => {
    expect(verifyTimestampToken(token, digest, [root])).toEqual({ time, authority });
  });

  it('is refused for another digest, and without the root', () => {
    const other = createHash('sha256').update('another').digest();
    expect(() => verifyTimestampToken(token, other, [root])).toThrow(/is of another digest/);
    expect(() => verifyTimestampToken(token, digest, [])).toThrow(/does not lead to a trusted/);
    for (const size of [0, 1, 100, token.length - 1]) {
      expect(() => verifyTimestampToken(token.subarray(0, size), digest, [root])).toThrow(invalid);
    }
    const longer = Buffer.concat([token, Buffer.alloc(1)]);
    expect(() => verifyTimestampToken(longer, digest, [root])).toThrow(/is malformed/);
  });

  it('never says another time or authority when a byte changes', () => {
    let refused = 0;
    for (let place = 0; place < token.length; place += 1) {
      const changed = Buffer.from(token);
      changed.writeUInt8(changed.readUInt8(place) ^ (1 << (place % 8)), place);
      try {
        expect(verifyTimestampToken(changed, digest, [root])).toEqual({ time, authority });
      } catch (cause) {
        expect(cause).toEqual(invalid);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0.9 * token.length);
  });

  it('is asked for as RFC 3161 says', () => {
    expect(timestampRequest(digest, nonce).toString('hex')).toBe(
      `30440201013031300d060960864801650304020105000420${digest.toString('hex')}0209008123456789abcdef0101ff`,
    );
    expect(() => timestampRequest(digest.subarray(1), nonce)).toThrow(/31 bytes/);
  });

  it('is not taken from a refusal', () => {
    const refusal = Buffer.from('30053003020102', 'hex');
    expect(() => tokenOfResponse(refusal)).toThrow(/was refused with status 2/);
    expect(() => tokenOfResponse(Buffer.from('<html>'))).toThrow(invalid);
  });
});

describe.skipIf(!hasOpenssl)(
  'an authority of openssl ts (skipped where openssl is missing)',
  () => {
    it.each(['ec', 'rsa'] as const)('with a key of kind %s is understood and verified', (kind) => {
      const { root: own, answer } = makeAuthority(directory(), kind);
      const given = tokenOfResponse(answer(timestampRequest(digest, nonce)));
      const verified = verifyTimestampToken(given, digest, [own]);
      expect(verified.authority).toBe('CN=Test authority');
      expect(Math.abs(Date.parse(verified.time) - Date.now())).toBeLessThan(60_000);
      expect(() => verifyTimestampToken(given, digest, [root])).toThrow(/trusted certificate/);
    });
  },
);
