import type { Evidence } from '../contracts.ts';
import { log10Product, log10WeightedMean } from '../stats/merging.ts';

/** Says whether evidence enters the score: tests with a null that had something to work on. */
export function isCounted(evidence: Evidence): boolean {
  return evidence.null !== 'descriptive' && evidence.status !== 'not-applicable';
}

/**
 * Merges evidence into one provenance score in bans, before multiplicity: log10 of the keyed
 * e-value times 1/2 + 1/2 mean of the reference e-values (Vovk and Wang 2021, sections 3 and 4).
 *
 * Reference tests see neither keys nor marked answers, so that given all they look at the keyed
 * e-value still has a mean of at most 1. Half of the stake is kept from them: they can cost .31
 * bans. Descriptive evidence never counts. Under the nulls the score reaches s with probability at
 * most 10^-s.
 */
export function provenanceScore(evidence: readonly Evidence[]): number {
  return log10Product([keyedScore(evidence), referenceFactor(evidence)]);
}

/**
 * Merges the keyed evidence alone, in bans, before multiplicity; verdicts rest on it.
 *
 * E-values whose key material is disjoint multiply; those that share key material are averaged
 * first, with equal weights sealed with the list of tests, a test that did not apply counting as 1.
 */
export function keyedScore(evidence: readonly Evidence[]): number {
  const keyed = evidence.filter(({ null: kind }) => kind === 'keyed');
  const groups = groupByKeyMaterial(keyed).map((group) =>
    log10WeightedMean(
      group.map((each) => (isCounted(each) ? each.log10E : 0)),
      group.map(() => 1 / group.length),
    ),
  );
  return log10Product(groups);
}

/**
 * The factor of reference tests, those that apply weighing alike: which ones do is known before asking.
 * One that is not complete counts as an e-value of 0, because it may be looked at once, at its sealed
 * size.
 */
function referenceFactor(evidence: readonly Evidence[]): number {
  const references = evidence.filter(
    (each) => each.null === 'reference' && each.status !== 'not-applicable',
  );
  if (references.length === 0) return 0;
  const log10Es = references.map(({ status, log10E }) =>
    status === 'done' ? log10E : Number.NEGATIVE_INFINITY,
  );
  const weight = 1 / (2 * references.length);
  return log10WeightedMean([0, ...log10Es], [1 / 2, ...references.map(() => weight)]);
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
