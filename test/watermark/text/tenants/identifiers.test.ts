import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  identifierCapacity,
  tenantIdentifier,
  tenantIndex,
} from '../../../../src/watermark/text/tenants/identifiers.ts';

const allBits = [4, 6, 8, 10, 12, 14, 16, 18, 20];

function issued(bits: number): readonly number[] {
  return Array.from({ length: identifierCapacity(bits) }, (_, index) =>
    tenantIdentifier(index, bits),
  );
}

describe('tenant identifiers', () => {
  it.each(allBits)('of %i bits are never zero, nor the xor of two or three others', (bits) => {
    const identifiers = issued(bits);
    const known = new Set(identifiers);
    const xors = new Uint8Array(2 ** bits);
    expect(known.size).toBe(2 ** (bits / 2) - 1);
    expect(known.has(0)).toBe(false);
    let shared = 0;
    identifiers.forEach((first, index) => {
      for (const second of identifiers.slice(index + 1)) {
        const xor = first ^ second;
        if (xor === 0 || known.has(xor) || xors[xor] === 1) shared += 1;
        xors[xor] = 1;
      }
    });
    expect(shared, 'pairs whose xor is issued, or is the xor of another pair').toBe(0);
  });

  it('are x and its cube over GF(16) as computed by hand', () => {
    // z^4 = z + 1: 2^3 = z^3 = 8; 3^3 = (z + 1)^3 = z^3 + z^2 + z + 1 = 15; 5^3 = z^6 + z^4 + z^2 + 1 = z^3 + z = 10.
    const cubes = [2, 3, 5].map((x) => tenantIdentifier(x - 1, 8) >>> 4);
    expect(cubes).toEqual([8, 15, 10]);
    expect(tenantIdentifier(4, 8) & 15).toBe(5);
  });

  it('give the tenant back, and nobody for identifiers that are not issued', () => {
    for (const bits of allBits) {
      const found = new Map(issued(bits).map((identifier, index) => [identifier, index]));
      const step = bits > 14 ? 997 : 1;
      for (let identifier = 0; identifier < 2 ** bits; identifier += step) {
        if (tenantIndex(identifier, bits) !== found.get(identifier)) {
          expect.fail(`${identifier} of ${bits} bits`);
        }
      }
      for (const [identifier, index] of found) expect(tenantIndex(identifier, bits)).toBe(index);
    }
  });

  it('are refused beyond the capacity, with what to do instead', () => {
    expect(() => tenantIdentifier(1023, 20)).toThrowError(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('0 to 1022'),
        hint: expect.stringContaining('another epoch'),
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer()), (index) => {
        if (Number.isInteger(index) && index >= 0 && index < 15) return;
        expect(() => tenantIdentifier(index, 8)).toThrowError(/has no identifier/);
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer()), (bits) => {
        if (allBits.includes(bits)) return;
        expect(() => tenantIdentifier(0, bits)).toThrowError(/even number of bits|cannot have/);
      }),
    );
  });
});
