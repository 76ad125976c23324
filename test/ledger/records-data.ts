import type { ServedText } from '../../src/contracts.ts';
import type { UnnumberedRecord } from '../../src/ledger/payload.ts';

/** A served record whose content follows from its number. */
export function recordOf(number: number, tenant = 'acme', epoch = 'e1'): UnnumberedRecord {
  const share = 1 / (number + 3);
  return {
    tenant,
    epoch,
    servedAt: new Date(1_800_000_000_000 + number).toISOString(),
    modelVersion: 'm1',
    input: `question ${number} of ${tenant}`,
    clean: [share, 1 - share],
    served: [share / 2, 1 - share / 2],
    label: 1,
    marks: { probability: true },
  };
}

export function recordsOf(count: number, tenant = 'acme', epoch = 'e1'): UnnumberedRecord[] {
  return Array.from({ length: count }, (_, number) => recordOf(number, tenant, epoch));
}

/** A text answer whose content follows from its number. */
export function textOf(
  number: number,
  tenant = 'acme',
  epoch = 'e1',
): Omit<ServedText, 'sequence'> {
  return {
    tenant,
    epoch,
    servedAt: new Date(1_800_000_000_000 + number).toISOString(),
    modelVersion: 'm1',
    request: `{"prompt":"question ${number} of ${tenant}"}`,
    texts: [`answer ${number}`, ''],
    marks: number % 2 === 0 ? { text: 'drafts', drafts: 4 } : { text: false },
  };
}
