import { TouchmarkError } from '../../errors.ts';
import {
  compareFingerprints,
  type QuirkLikeness,
  requireComparable,
} from '../../fingerprints/compare.ts';
import type { Fingerprint } from '../../fingerprints/fingerprint.ts';
import type { ProbeSet } from '../../fingerprints/probe-set.ts';
import { summarise } from '../../fingerprints/summary.ts';
import type { StoredDocument } from '../../store/fingerprint-files.ts';
import { noteRanking } from '../audit-looks.ts';
import { type ListedFingerprint, listed } from './list.ts';
import { openPlace, type PlaceOptions } from './place.ts';
import { type ReferenceStanding, standingOf } from './standing.ts';

export interface CompareOptions extends PlaceOptions {
  readonly now: () => Date;
  /** Each denotes a fingerprint; see `FingerprintStore.findFingerprint`. */
  readonly one: string;
  readonly two: string;
}

/** Two fingerprints side by side. */
export interface FingerprintComparison {
  readonly one: ListedFingerprint;
  readonly two: ListedFingerprint;
  readonly quirks: readonly QuirkLikeness[];
  /** Where there are references for one of the two: the other's place among them. */
  readonly standings: readonly ReferenceStanding[];
  /** Suspects whose next audit pays for these ranks, and how many looks at each there have been. */
  readonly looks: readonly { readonly suspect: string; readonly looks: number }[];
}

/**
 * Compares two fingerprints that are on this machine; nobody is asked anything. A suspect that is ranked
 * among references by it is listed as one that was looked at.
 *
 * @throws TouchmarkError FINGERPRINTS_INCOMPARABLE, also when their probe set is missing; USAGE,
 *   FINGERPRINT_INVALID
 */
export async function compareStored(options: CompareOptions): Promise<FingerprintComparison> {
  const { store, project } = await openPlace(options);
  const [one, two] = [
    await store.findFingerprint(options.one),
    await store.findFingerprint(options.two),
  ];
  requireComparable(one.document, two.document);
  const probes = (await store.probeSetOf(one)) ?? (await store.probeSetOf(two));
  if (probes === undefined) throw missingProbes(one.document.probeSet, store.directory);
  const side = (stored: StoredDocument<Fingerprint>) => listedWith(stored, probes);
  const quirks = compareFingerprints(one.document, two.document, probes);
  const standings = [
    await standingOf(store, one, two, probes),
    await standingOf(store, two, one, probes),
  ].filter((standing) => standing !== undefined);
  const looks: { suspect: string; looks: number }[] = [];
  for (const { ranked, references } of standings) {
    const { address: suspect } = (ranked === one.id ? one : two).document.model;
    if (suspect === null || project === undefined) continue;
    const look = { suspect, ranked, references };
    looks.push({ suspect, looks: await noteRanking(project.directory, look, options.now()) });
  }
  return { one: side(one), two: side(two), quirks, standings, looks };
}

function listedWith(stored: StoredDocument<Fingerprint>, probes: ProbeSet): ListedFingerprint {
  return listed(stored, summarise(stored.document, probes) ?? null);
}

function missingProbes(probeSet: string, directory: string): TouchmarkError {
  return new TouchmarkError(
    'FINGERPRINTS_INCOMPARABLE',
    `The questions that both were asked, ${probeSet}, are missing.`,
    { hint: `Put ${probeSet}.json beside one of them, or into ${directory}.` },
  );
}
