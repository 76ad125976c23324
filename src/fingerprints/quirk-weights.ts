/**
 * The share of each quirk in the evidence of fingerprints. Those that are not named are descriptive:
 * docs/fingerprints.md measures which quirks tell surrogates from independents that learnt from the same
 * data, and which do not.
 */
const weights: ReadonlyMap<string, number> = new Map([
  ['probability-levels', 0.5],
  ['label-choices', 0.25],
  ['boundary-geometry', 0.25],
]);

/** Returns the weight of a quirk, sealed with a protected model's references; 0 is descriptive. */
export function quirkWeight(name: string): number {
  return weights.get(name) ?? 0;
}
