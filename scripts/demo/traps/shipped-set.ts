import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RegionTrapSet } from '../../../src/traps/kinds/region.ts';
import { openTrapSet } from '../../../src/traps/seal.ts';

/** Seed of the splits that the protected network and the shipped traps were made from. */
export const splitsSeed = '1';

/** What the shipped set calls the model that it is for. */
export const protectedName =
  'language identifier of the demonstration (public: for demonstration only)';

/** Where the shipped set lies. */
export const shippedSetPath = join(
  import.meta.dirname,
  '../../../traps/language-identification.json',
);

/**
 * The key under which the shipped set is sealed. It is public, and so are the traps: anybody can seal
 * another such set, and no suspect should be judged by it outside of the demonstration.
 */
export const demonstrationSealingKey: Uint8Array = createHash('sha256')
  .update('touchmark: public sealing key of the demonstration')
  .digest();

/** Reads the shipped set. @throws TouchmarkError TRAP_SET_INVALID when it was changed */
export function readShippedSet(): RegionTrapSet {
  const text = readFileSync(shippedSetPath, 'utf8');
  const { set } = openTrapSet(text, shippedSetPath, demonstrationSealingKey);
  if (set.kind !== 'region') throw new TypeError('the shipped set holds no region traps');
  return set;
}
