import type { Fingerprint } from '../../fingerprints/fingerprint.ts';
import { fittingAnswers } from '../../fingerprints/fitting-answers.ts';
import { requireFittingReferences } from '../../fingerprints/fitting-references.ts';
import type { ProbeSet } from '../../fingerprints/probe-set.ts';
import { quirkRanker } from '../../fingerprints/reference-null.ts';
import type { StoredDocument } from '../../store/fingerprint-files.ts';
import type { FingerprintStore } from '../../store/fingerprints.ts';

/** Where a model stands in one quirk of another. */
export interface QuirkStanding {
  readonly name: string;
  /** Its share of the evidence in audits; 0 is descriptive. */
  readonly weight: number;
  /** The larger of the conformal ranks among references of the same and of other data. */
  readonly p: number;
}

/** A model ranked among references that are known to be independent of a protected model. */
export interface ReferenceStanding {
  /** The fingerprint of the protected model. */
  readonly protectedModel: string;
  /** The fingerprint that is ranked. */
  readonly ranked: string;
  readonly references: string;
  /** How many references calibrate: trained on the same data, and on other data. */
  readonly same: number;
  readonly other: number;
  /** 1 / (R + 1) for the smaller of the two counts. */
  readonly smallestP: number;
  readonly quirks: readonly QuirkStanding[];
}

/**
 * Ranks a model among the references of a protected model, where a file of references exists; the
 * newest counts.
 *
 * @throws TouchmarkError FINGERPRINT_INVALID for references or answers that do not fit
 */
export async function standingOf(
  store: FingerprintStore,
  protectedModel: StoredDocument<Fingerprint>,
  ranked: StoredDocument<Fingerprint>,
  probes: ProbeSet,
): Promise<ReferenceStanding | undefined> {
  const [own, their] = [protectedModel.document, ranked.document];
  if (probes.task !== 'classify' || own.task !== 'classify' || their.task !== 'classify') {
    return undefined;
  }
  const { documents } = await store.listReferences();
  const [newest] = documents
    .filter(({ document }) => document.fingerprint === protectedModel.id)
    .sort((one, two) => Date.parse(two.document.createdAt) - Date.parse(one.document.createdAt));
  if (newest === undefined) return undefined;
  const answers = fittingAnswers(own, probes);
  requireFittingReferences(newest.document, answers, probes);
  const rank = quirkRanker(newest.document.quirks, answers, probes);
  const ranks = rank(fittingAnswers(their, probes));
  const quirks = ranks.flatMap(({ name, weight, suspect }) =>
    suspect ? [{ name, weight, p: Math.max(suspect.amongSame.p, suspect.amongOther.p) }] : [],
  );
  const calibrating = (data: 'same' | 'other') =>
    newest.document.references.filter((each) => each.data === data && each.part === 'calibrate')
      .length;
  const [same, other] = [calibrating('same'), calibrating('other')];
  const smallestP = 1 / (Math.min(same, other) + 1);
  return {
    ...{ protectedModel: protectedModel.id, ranked: ranked.id, references: newest.id },
    ...{ same, other, smallestP, quirks },
  };
}
