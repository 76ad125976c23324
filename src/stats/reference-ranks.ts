import { TouchmarkError } from '../errors.ts';

/** Where a suspect stands among reference models. */
export interface ReferenceRank {
  readonly p: number;
  readonly log10P: number;
  readonly e: number;
  readonly log10E: number;
  /** The number R of reference models: p >= 1 / (R + 1) and e <= R + 1. */
  readonly references: number;
}

/**
 * Ranks a suspect's statistic (large = suspicious) among those of R reference models.
 *
 * Null hypothesis: the suspect and the references are exchangeable; the unit is the model. p = (1 +
 * #{reference >= suspect}) / (R + 1), the conformal rank with ties against the suspect (Vovk,
 * Gammerman and Shafer 2005, section 2.2). With r = (R + 1) p, e = (R + 1) r^-2 / sum of k^-2 over
 * k = 1..R+1. E[e] <= 1: without ties r is uniform on 1..R+1, over which e has the mean 1; a tie
 * only makes r larger, and e decreases in r (a p-to-e calibrator on the lattice of ranks; Vovk and
 * Wang 2021, section 2). The first rank gets at least .6 of the possible R + 1.
 *
 * @throws INPUT_INVALID if a statistic is not finite.
 */
export function referenceRank(suspect: number, references: readonly number[]): ReferenceRank {
  const bad = [suspect, ...references].findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const name = bad === 0 ? 'the suspect' : `reference ${bad - 1}`;
    const value = bad === 0 ? suspect : references[bad - 1];
    throw new TouchmarkError('INPUT_INVALID', `reference ranks: ${name} has statistic ${value}`, {
      hint: 'Leave models without a statistic out before ranking.',
    });
  }
  const places = references.length + 1;
  const rank = 1 + references.filter((reference) => reference >= suspect).length;
  let sum = 0;
  for (let place = 1; place <= places; place++) sum += place ** -2;
  const p = rank / places;
  const e = places / (rank * rank * sum);
  return { p, log10P: Math.log10(p), e, log10E: Math.log10(e), references: references.length };
}
