import type { MaterialPart } from '../audit/stored-material.ts';
import { provenanceTests } from '../audit/tests/registry.ts';
import type { Capability } from '../contracts.ts';

/** What of an audit's secrets and material a test needs to be computed again. */
interface Needs {
  readonly parts: readonly MaterialPart[];
  readonly reveals: readonly ('labelCoins' | 'perQuery' | 'smooth')[];
}

const needsOf: Readonly<Record<string, Needs>> = {
  'probability-per-query': { parts: ['fresh', 'logged'], reveals: ['perQuery'] },
  'label-coins': { parts: ['coins'], reveals: ['labelCoins'] },
  'probability-signs': { parts: ['fresh'], reveals: ['smooth'] },
  'probability-signs-replay': { parts: ['logged'], reveals: ['smooth'] },
  'region-traps': { parts: ['regionLots'], reveals: [] },
  'fingerprint-quirks': { parts: ['fingerprint'], reveals: [] },
};

/** The tests that a suspect's answers can carry, less those that are left out of a dossier. */
export function shownTests(
  gives: readonly Capability[],
  leftOut: readonly string[],
): ReadonlySet<string> {
  return new Set(
    provenanceTests
      .filter(
        ({ name, needs }) => needs.every((need) => gives.includes(need)) && !leftOut.includes(name),
      )
      .map(({ name }) => name),
  );
}

/** Decides whether a part of the material is needed by any of the tests. */
export function needsPart(tests: ReadonlySet<string>, part: MaterialPart): boolean {
  return [...tests].some((test) => needsOf[test]?.parts.includes(part));
}

/** Decides whether keys of a layer are needed by any of the tests. */
export function needsReveal(tests: ReadonlySet<string>, layer: Needs['reveals'][number]): boolean {
  return [...tests].some((test) => needsOf[test]?.reveals.includes(layer));
}
