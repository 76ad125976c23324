import type { Evidence, Observation, Probe, ProvenanceTest, TestRun } from '../../contracts.ts';
import { mergedQuirks, type QuirkRank, quirkRanker } from '../../fingerprints/reference-null.ts';
import { type FingerprintSummary, summariseAnswers } from '../../fingerprints/summary.ts';
import { ClassifierTaking } from '../fingerprinting/classifier-taking.ts';
import { type AuditMaterial, exchangeabilityAssumption } from '../material.ts';

/**
 * Takes the suspect's fingerprint, and ranks its share in the protected model's deviations among
 * reference models.
 *
 * Null (reference): the suspect is exchangeable with the calibrating references that learnt from the
 * same training data, or with those that learnt from other data. The e-value of a quirk is the smaller
 * of the two kinds'; those of all quirks are averaged under sealed weights, after the last answer only.
 *
 * As for region traps, the evidence is descriptive unless the owner seals the assumption.
 */
export const fingerprintQuirks: ProvenanceTest<AuditMaterial> = {
  name: 'fingerprint-quirks',
  null: 'reference',
  needs: ['labels'],
  start: (material) => new FingerprintQuirksRun(material),
};

/** Goes before the identifiers of a fingerprint's probes. */
const prefix = 'fingerprint/';

/** What an audit found by fingerprints, in full. */
export interface FingerprintFindings extends FingerprintSummary {
  readonly ranks: readonly QuirkRank[];
}

/** Asks a suspect the probe set of the protected model's fingerprint. */
export class FingerprintQuirksRun implements TestRun {
  readonly #material: AuditMaterial;
  readonly #taking: ClassifierTaking | undefined;
  #asked = 0;
  #done = false;

  constructor(material: AuditMaterial) {
    this.#material = material;
    const { fingerprint } = material;
    this.#taking = fingerprint && new ClassifierTaking(fingerprint.probes, 'probabilities', prefix);
  }

  next(): readonly Probe[] {
    const due = this.#taking?.next() ?? [];
    if (due.length === 0) this.#done = true;
    return due;
  }

  fold(observations: readonly Observation[]): void {
    this.#taking?.fold(observations);
    this.#asked += observations.length;
  }

  evidence(): Evidence {
    const found = this.#done ? this.findings() : undefined;
    const { refused = 0, failed = 0, unsupported = 0 } = this.#taking?.outcomes ?? {};
    const applies = this.#taking !== undefined;
    const counts = this.#material.referencesExchangeable;
    const bans = found === undefined ? 0 : mergedQuirks(found.ranks);
    return {
      test: fingerprintQuirks.name,
      null: counts || !applies ? 'reference' : 'descriptive',
      status: !applies ? 'not-applicable' : found === undefined ? 'partial' : 'done',
      log10E: counts ? bans : 0,
      probes: this.#asked,
      skipped: nonZero({ refused, failed, unsupported }),
      effect: { ...(found !== undefined && { bans, ...effectOf(found.ranks) }) },
      keyMaterial: [],
      assumptions: applies ? [exchangeabilityAssumption] : [],
    };
  }

  /** Where the suspect stands in each quirk, by what was answered so far. */
  findings(): FingerprintFindings | undefined {
    const { fingerprint } = this.#material;
    if (fingerprint === undefined || this.#taking === undefined) return undefined;
    const answers = this.#taking.answers();
    const { nulls, protectedModel, probes } = fingerprint;
    const ranks = quirkRanker(nulls, protectedModel, probes)(answers);
    return { ranks, ...summariseAnswers(answers) };
  }
}

function effectOf(ranks: readonly QuirkRank[]): Record<string, number> {
  const [first] = ranks;
  if (first === undefined) return {};
  const [same, other] = [first.same.length, first.other.length];
  return {
    ...Object.fromEntries(
      ranks.flatMap(({ name, suspect }) =>
        suspect ? [[`p of ${name}`, Math.max(suspect.amongSame.p, suspect.amongOther.p)]] : [],
      ),
    ),
    'same-data references': same,
    'other-data references': other,
    'smallest possible p': 1 / (Math.min(same, other) + 1),
  };
}

function nonZero(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
