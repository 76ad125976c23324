import { json } from '@sigstore/core';
import { z } from 'zod';
import { parseJson } from '../../json.ts';
import { leafHash } from '../../keys/merkle.ts';
import { refused } from '../envelope.ts';
import type { DossierPredicate } from '../statement.ts';

const openingSchema = z.strictObject({
  lot: z.int().nonnegative(),
  place: z.int().nonnegative(),
  trap: z.looseObject({ sequence: z.int().nonnegative() }),
});

/**
 * Checks that the coins that were asked are those of the trap lots in the plan, all of them and no
 * others, where the plan claims lots of coins.
 *
 * @throws TouchmarkError EVIDENCE_INVALID
 */
export function requireClaimedCoins(
  { plan, traps }: DossierPredicate,
  asked: readonly number[],
): void {
  const planned = (plan.traps ?? [])
    .map((lot, index) => ({ lot, index }))
    .filter(({ lot }) => lot.kind === 'coin');
  if (traps.length !== planned.length) throw refused('does not open the lots of its coin traps');
  const sequences = planned.flatMap(({ lot, index }, position) => {
    const { lot: stated, openings } = traps[position]!;
    if (stated !== index || openings.length !== lot.commitments.length) {
      throw refused(`does not open every trap of lot ${lot.lot}`);
    }
    return openings.map((opening, place) => {
      const parsed = openingSchema.safeParse(parseJson(opening)).data;
      const fits =
        leafHash(Buffer.from(opening, 'utf8')).toString('hex') === lot.commitments[place] &&
        parsed?.lot === lot.lot &&
        parsed.place === place &&
        json.canonicalize(parsed) === opening;
      if (!fits) throw refused(`opens trap ${place} of lot ${lot.lot} to something else`);
      return parsed.trap.sequence;
    });
  });
  if (planned.length === 0) return;
  const wanted = [...sequences].sort((left, right) => left - right);
  if (wanted.join() !== asked.join()) throw refused('asked other coins than those of its traps');
}
