/**
 * The share of each quirk in the evidence of fingerprints. Those that are not named are descriptive.
 *
 * Chosen on protected models 1 and 2 of each task of the zoo (docs/fingerprints.md): probability-levels
 * tells surrogates from independents that learnt from the same data on both tasks, boundary-geometry does
 * so weakly, and all others are at chance on one task, or accuse independents of families that
 * references do not have.
 */
const weights: ReadonlyMap<string, number> = new Map([
  ['probability-levels', 0.8],
  ['boundary-geometry', 0.2],
]);

/** Returns the weight of a quirk, sealed with a protected model's references; 0 is descriptive. */
export function quirkWeight(name: string): number {
  return weights.get(name) ?? 0;
}
