import type { Evidence, Observation, Probe, ProvenanceTest, TestRun } from '../../contracts.ts';
import { log10WeightedMean } from '../../stats/merging.ts';
import { type ReferenceRank, referenceRank } from '../../stats/reference-ranks.ts';
import { type RegionLot, regionStatistic } from '../../traps/kinds/region.ts';
import { type AuditMaterial, exchangeabilityAssumption } from '../material.ts';
import { QuestionQueue, SkipCounter } from './question-queue.ts';

/**
 * Counts agreement with the protected model on region traps, and ranks it among reference models.
 *
 * Null (reference): the suspect is exchangeable with the calibration references that learnt from the
 * same training data, or with those that learnt from other data. The e-value is the smaller of the
 * two kinds', at the end of the last trap only; lots of several sets are averaged.
 *
 * Innocents that are like no reference, such as those that share the protected model's own features,
 * agree more than references do. So the evidence is descriptive unless the owner seals the assumption.
 */
export const regionTraps: ProvenanceTest<AuditMaterial> = {
  name: 'region-traps',
  null: 'reference',
  needs: ['labels'],
  start: (material) => new RegionTrapsRun(material),
};

interface RegionQuestion {
  readonly probe: Probe;
  /** Which of the material's region lots it belongs to. */
  readonly lot: number;
}

class RegionTrapsRun implements TestRun {
  readonly #material: AuditMaterial;
  readonly #queue: QuestionQueue<RegionQuestion>;
  readonly #answers: (string | undefined)[][];
  readonly #skipped = new SkipCounter();

  constructor(material: AuditMaterial) {
    this.#material = material;
    this.#answers = material.regionLots.map(() => []);
    this.#queue = new QuestionQueue(
      material.regionLots.flatMap(({ probes }, lot) => probes.map((probe) => ({ probe, lot }))),
    );
  }

  next(): readonly Probe[] {
    return this.#queue.next();
  }

  fold(observations: readonly Observation[]): void {
    for (const [{ lot }, observation] of this.#queue.take(observations)) {
      const answered = 'answer' in observation;
      if (!answered) this.#skipped.add(observation.missing);
      this.#answers[lot]!.push(answered ? observation.answer.label : undefined);
    }
  }

  evidence(): Evidence {
    const { done, folded, total } = this.#queue;
    const sets = done && total > 0 ? this.#ranks() : [];
    const counts = this.#material.referencesExchangeable;
    const smaller = sets.map(({ same, other }) => Math.min(same.log10E, other.log10E));
    const [only] = sets;
    const bans = log10WeightedMean(
      smaller.length === 0 ? [0] : smaller,
      smaller.length === 0 ? [1] : smaller.map(() => 1 / smaller.length),
    );
    return {
      test: regionTraps.name,
      null: counts || total === 0 ? 'reference' : 'descriptive',
      status: total === 0 ? 'not-applicable' : done ? 'done' : 'partial',
      log10E: counts ? bans : 0,
      ...(counts && only && sets.length === 1
        ? { log10P: Math.max(only.same.log10P, only.other.log10P) }
        : {}),
      probes: folded,
      skipped: this.#skipped.counts,
      effect: {
        ...(sets.length > 0 && { bans }),
        ...this.#agreement(),
        ...(only && sets.length === 1 ? effectOf(only) : {}),
      },
      keyMaterial: [],
      assumptions: total === 0 ? [] : [exchangeabilityAssumption],
    };
  }

  /** One pair of ranks per set: the lots of a set share their references and are added up. */
  #ranks(): { readonly same: ReferenceRank; readonly other: ReferenceRank }[] {
    const bySet = new Map<string, { lot: RegionLot; statistic: number }[]>();
    this.#material.regionLots.forEach(({ set, lot }, index) => {
      const own = bySet.get(set) ?? [];
      own.push({ lot, statistic: regionStatistic(lot, this.#answers[index]!) });
      bySet.set(set, own);
    });
    return [...bySet.values()].map((lots) => {
      const suspect = lots.reduce((sum, { statistic }) => sum + statistic, 0);
      const rank = (kind: 'same' | 'other') =>
        referenceRank(
          suspect,
          lots[0]!.lot.calibration[kind].map((_, reference) =>
            lots.reduce((sum, { lot }) => sum + lot.calibration[kind][reference]!, 0),
          ),
        );
      return { same: rank('same'), other: rank('other') };
    });
  }

  #agreement(): Record<string, number> {
    const pairs = this.#material.regionLots.flatMap(({ lot }, index) =>
      this.#answers[index]!.map((answer, place) => answer === lot.traps[place]!.label),
    );
    if (pairs.length === 0) return {};
    const agreed = pairs.filter(Boolean).length;
    return { traps: pairs.length, agreed, share: agreed / pairs.length };
  }
}

function effectOf({ same, other }: { same: ReferenceRank; other: ReferenceRank }) {
  return {
    'p among same-data references': same.p,
    'same-data references': same.references,
    'p among other-data references': other.p,
    'other-data references': other.references,
  };
}
