import type { Evidence } from '../contracts.ts';
import { log10Product, log10WeightedMean } from '../stats/merging.ts';

/** Says whether evidence enters the score: keyed tests that had something to work on. */
export function isCounted(evidence: Evidence): boolean {
  return evidence.null === 'keyed' && evidence.status !== 'not-applicable';
}

/**
 * Merges evidence into one provenance score in bans, before multiplicity.
 *
 * Keyed e-values whose key material is disjoint multiply; those that share key material are
 * averaged first, with equal weights sealed with the list of tests, a test that did not apply
 * counting as 1. Descriptive evidence never counts. Under the null (the suspect is independent of
 * the keys) the score reaches s with probability at most 10^-s.
 */
export function provenanceScore(evidence: readonly Evidence[]): number {
  const keyed = evidence.filter(({ null: kind }) => kind === 'keyed');
  const groups = groupByKeyMaterial(keyed).map((group) =>
    log10WeightedMean(
      group.map((each) => (isCounted(each) ? each.log10E : 0)),
      group.map(() => 1 / group.length),
    ),
  );
  return log10Product(groups);
}

function groupByKeyMaterial(evidence: readonly Evidence[]): readonly Evidence[][] {
  const groups: Evidence[][] = [];
  for (const each of evidence) {
    const touching = groups.filter((group) =>
      group.some((other) => other.keyMaterial.some((key) => each.keyMaterial.includes(key))),
    );
    for (const group of touching) groups.splice(groups.indexOf(group), 1);
    groups.push([...touching.flat(), each]);
  }
  return groups;
}
