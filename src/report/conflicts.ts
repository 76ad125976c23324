import type { Evidence } from '../contracts.ts';
import type { Conflict } from './parts.ts';

type Found = Pick<Evidence, 'test' | 'null' | 'status' | 'log10E'>;

/** Bans from which evidence speaks clearly, for or against what its test bets on. */
const clear = 2;

/** Bans of a reference test that has found something; it can seldom find more. */
const found = 1;

/**
 * Returns the pairs of tests whose evidence disagrees, in the order of the evidence.
 *
 * Two keyed tests disagree when one has at least 2 bans and the other at most -2: each e-value is
 * a likelihood ratio against the test's own alternative, so that under that alternative a value as
 * low as 10^-2 has probability at most 10^-2 (Ville's inequality for 1/E). A finished reference
 * test of 1 ban or more disagrees with keyed tests when all of them are finished and none is above
 * 0: it is paired with the lowest. Descriptive evidence never disagrees.
 */
export function conflictsOf(evidence: readonly Found[]): readonly Conflict[] {
  const applicable = evidence.filter(({ status }) => status !== 'not-applicable');
  const keyed = applicable.filter((each) => each.null === 'keyed');
  return [...betweenKeyed(keyed), ...againstReferences(keyed, applicable)];
}

function betweenKeyed(keyed: readonly Found[]): Conflict[] {
  return keyed.flatMap((high) =>
    keyed
      .filter((low) => high.log10E >= clear && low.log10E <= -clear)
      .map((low) => ({
        tests: [high.test, low.test] as const,
        says: `${high.test} finds its key in the answers, and ${low.test} finds what a model that follows its key would give at most one time in a hundred. A student can keep one layer and lose another; answers that go against a key may also come from labels that were mapped wrongly, or from a suspect that inverts what it learned.`,
      })),
  );
}

function againstReferences(keyed: readonly Found[], all: readonly Found[]): Conflict[] {
  const lowest = keyed.toSorted((a, b) => a.log10E - b.log10E)[0];
  const silent = keyed.every(({ status, log10E }) => status === 'done' && log10E <= 0);
  if (lowest === undefined || !silent) return [];
  return all
    .filter((each) => each.null === 'reference' && each.status === 'done' && each.log10E >= found)
    .map(({ test }) => ({
      tests: [test, lowest.test] as const,
      says: `${test} ranks the suspect above models known to be independent, and no keyed test finds anything. Either the suspect is like the protected model for another reason, such as the same training data, or it learned from answers under another key. No verdict rests on ${test}.`,
    }));
}
