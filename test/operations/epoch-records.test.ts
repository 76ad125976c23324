import { describe, expect, it } from 'vitest';
import { requireBeginning } from '../../src/operations/epoch-records.ts';

const digest = 'ab'.repeat(32);
const seals = [{ what: 'epoch', digest, sequence: 40, at: '2026-01-02T03:04:05.678Z' }] as const;
const check = (expired: { records: number; through?: number }, commitment = `sha256:${digest}`) =>
  requireBeginning({ seals, expired }, commitment);

describe('an epoch whose beginning may have expired', () => {
  it('is whole when nothing expired, or only what came before it', () => {
    check({ records: 0 });
    check({ records: 39, through: 39 });
  });

  it.each([
    ['some of it expired', { records: 10, through: 50 }, `sha256:${digest}`],
    ['all of it expired that the log has not sealed', { records: 1, through: 3 }, 'sha256:other'],
  ] as const)('is refused when %s', (_, expired, commitment) => {
    expect(() => check(expired, commitment)).toThrow(/lost the beginning of this epoch/);
  });
});
