import { TouchmarkError } from '../../../errors.ts';

/** Irreducible polynomials over F_2 by degree, lowest coefficient in bit 0 (Lidl and Niederreiter 1997, table C). */
const moduli: Readonly<Record<number, number>> = {
  2: 0b111,
  3: 0b1011,
  4: 0b10011,
  5: 0b100101,
  6: 0b1000011,
  7: 0b10000011,
  8: 0b100011011,
  9: 0b1000010001,
  10: 0b10000001001,
};

/** Bits that identifiers can have: even numbers. */
export const identifierBitsRange = { fewest: 4, most: 20 } as const;

/**
 * Returns how many tenants can have identifiers of their own: 2^(bits / 2) - 1, within a factor
 * sqrt(2) of the most that any set whose pairwise xors differ can have.
 */
export function identifierCapacity(bits: number): number {
  return 2 ** degreeOf(bits) - 1;
}

/**
 * Returns the linear code's identifier of tenant number `index`: (x, x^3) over GF(2^(bits / 2)) with
 * x = index + 1, the columns of the parity check of the double-error-correcting code of Bose and
 * Ray-Chaudhuri (1960) and Hocquenghem (1959). Any four of them are linearly independent, so the xor
 * of three tenants is never a fourth tenant, and none is zero.
 *
 * @param index 0 to identifierCapacity(bits) - 1; the same tenant must keep it for the whole epoch
 * @param bits even, 4 to 20
 * @throws TouchmarkError INPUT_INVALID for an index beyond the capacity, CONFIG_INVALID for the bits
 */
export function tenantIdentifier(index: number, bits: number): number {
  const degree = degreeOf(bits);
  const capacity = 2 ** degree - 1;
  if (!Number.isInteger(index) || index < 0 || index >= capacity) {
    throw new TouchmarkError(
      'INPUT_INVALID',
      `Tenant number ${index} has no identifier of ${bits} bits: they number 0 to ${capacity - 1}.`,
      {
        hint: 'Begin another epoch with a common key of its own for further tenants, or let several tenants share an identifier: the screen then names the group, and own keys the tenant.',
      },
    );
  }
  const x = index + 1;
  const cube = product(product(x, x, degree), x, degree);
  return x | (cube << degree);
}

/** Returns the number of the tenant that an identifier is issued to; undefined when it never is. */
export function tenantIndex(identifier: number, bits: number): number | undefined {
  const index = (identifier & identifierCapacity(bits)) - 1;
  return index >= 0 && tenantIdentifier(index, bits) === identifier ? index : undefined;
}

/**
 * Checks that an identifier has at most so many bits.
 *
 * @throws TouchmarkError INPUT_INVALID
 */
export function requireIdentifier(identifier: number, bits: number): void {
  if (Number.isInteger(identifier) && identifier >= 0 && identifier < 2 ** bits) return;
  throw new TouchmarkError(
    'INPUT_INVALID',
    `The tenant identifier ${identifier} does not have ${bits} bits.`,
    { hint: 'Use tenantIdentifier(index, bits) with the bits of the profile.' },
  );
}

function degreeOf(bits: number): number {
  const { fewest, most } = identifierBitsRange;
  if (bits % 2 === 0 && bits >= fewest && bits <= most) return bits / 2;
  throw new TouchmarkError('CONFIG_INVALID', `Tenant identifiers cannot have ${bits} bits.`, {
    hint: `Use an even number of bits from ${fewest} to ${most}.`,
  });
}

/** The product in GF(2^degree), bit i of a number being the coefficient of z^i. */
function product(left: number, right: number, degree: number): number {
  const modulus = moduli[degree]!;
  let result = 0;
  let shifted = left;
  for (let rest = right; rest > 0; rest >>>= 1) {
    if ((rest & 1) === 1) result ^= shifted;
    shifted <<= 1;
    if (shifted >>> degree === 1) shifted ^= modulus;
  }
  return result;
}
