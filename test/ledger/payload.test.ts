import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Input } from '../../src/contracts.ts';
import {
  decodeRecord,
  encodeRecord,
  openPayload,
  parseSealedPayload,
  sealPayload,
  type UnnumberedRecord,
} from '../../src/ledger/payload.ts';
import { recordOf } from './records.ts';

const numbers = fc.array(fc.double(), { maxLength: 8 });
const classIndex = fc.nat({ max: 1000 });
const tensors = fc
  .array(fc.float(), { maxLength: 9 })
  .map((data): Input => ({ shape: [data.length], data: Float32Array.from(data) }));
const records: fc.Arbitrary<UnnumberedRecord> = fc.record({
  tenant: fc.string(),
  epoch: fc.string(),
  servedAt: fc.constant('2026-01-02T03:04:05.678Z'),
  modelVersion: fc.string(),
  input: fc.oneof(fc.string({ unit: 'binary' }), tensors),
  clean: numbers,
  served: numbers,
  label: classIndex,
  marks: fc.oneof(
    fc.record({ probability: fc.boolean() }),
    fc.record({
      probability: fc.boolean(),
      coin: fc.record({
        top: classIndex,
        second: classIndex,
        outcome: fc.constantFrom<(0 | 1)[]>(0, 1),
      }),
    }),
  ),
});

describe('payload', () => {
  it('brings every record back to the last bit', () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, sequence) => {
        expect(decodeRecord(encodeRecord(record), sequence)).toEqual({ ...record, sequence });
      }),
    );
  });

  it('refuses what is no record, and says where', () => {
    const bytes = Buffer.from(
      encodeRecord(recordOf(1)).toString().replace('"label":1', '"label":-1'),
    );
    expect(() => decodeRecord(bytes, 7)).toThrow(
      expect.objectContaining({
        code: 'LOG_INVALID',
        message: expect.stringMatching(/^Record 7 .*touchmark\/served-record@1: label/),
      }),
    );
    expect(() => decodeRecord(Buffer.from('{'), 7)).toThrow(/Record 7/);
  });

  const key = Buffer.alloc(32, 1);
  const payload = encodeRecord(recordOf(1));
  const salt = Buffer.alloc(16, 2);
  const place = { tenant: 'acme', sequence: 5 };
  const sealed = sealPayload({ key, ...place, nonce: Buffer.alloc(12, 3), salt, payload });

  it('opens with its key, tenant and sequence only', () => {
    expect(openPayload(key, 'acme', sealed)).toEqual({ salt, payload });
    expect(openPayload(Buffer.alloc(32, 9), 'acme', sealed)).toBeUndefined();
    expect(openPayload(key, 'other', sealed)).toBeUndefined();
    expect(openPayload(key, 'acme', { ...sealed, sequence: 6 })).toBeUndefined();
    expect(openPayload(key, 'acme', { ...sealed, sealed: '' })).toBeUndefined();
  });

  it('shows nothing of the question', () => {
    expect(JSON.stringify(sealed)).not.toContain('question');
    expect(Buffer.from(sealed.sealed, 'base64').toString('latin1')).not.toContain('question');
  });

  it('reads its own line and no other', () => {
    expect(parseSealedPayload(JSON.stringify(sealed))).toEqual(sealed);
    expect(parseSealedPayload('{"sequence":1}')).toBeUndefined();
    expect(parseSealedPayload('{"sequence":')).toBeUndefined();
  });
});
