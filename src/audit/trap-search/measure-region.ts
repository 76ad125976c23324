import { referenceRank } from '../../stats/reference-ranks.ts';
import type { Agreement } from '../../traps/kinds/region-selection.ts';
import { agreementsOf, type RatedQuestion, referencesOf, surrogateGroups } from './candidates.ts';
import type { RegionModels } from './region-models.ts';

/** How models do that had no part in choosing or calibrating, over lots. */
export interface LotOutcome {
  readonly models: number;
  /** Share of models and lots with p <= .05. */
  readonly accused: number;
  /** Mean of log10(1/2 + e/2), as an audit counts it. */
  readonly bans: number;
}

/** What chosen traps are worth on held-out models. */
export interface RegionMeasurement {
  /** Statistics of the calibration references, lot by lot. */
  readonly calibration: readonly { readonly same: number[]; readonly other: number[] }[];
  /** References of the test part; their share accused is the rate of false accusations. */
  readonly references: Readonly<Record<'same' | 'other', LotOutcome>>;
  /** Surrogates that measure, by recipe. */
  readonly surrogates: Readonly<Record<string, LotOutcome>>;
}

const level = 0.05;

/** Measures lots of traps, each shown to a model by itself as an audit does. */
export function measureRegion(
  models: RegionModels,
  lots: readonly (readonly RatedQuestion[])[],
): RegionMeasurement {
  const questions = lots.flat();
  const statistics = (
    subjects: readonly { readonly layers: RegionModels['references'][0]['layers'] }[],
  ) => {
    const agreement = agreementsOf(
      models,
      subjects.map(({ layers }) => layers),
      questions,
    );
    return lotSums(lots, agreement);
  };
  const own = (kind: 'same' | 'other', part: 'calibrate' | 'test') =>
    statistics(referencesOf(models, kind, part));
  const [same, other] = [own('same', 'calibrate'), own('other', 'calibrate')];
  const calibration = lots.map((_, lot) => ({
    same: same.map((sums) => sums[lot]!),
    other: other.map((sums) => sums[lot]!),
  }));
  const outcome = (sums: readonly (readonly number[])[]): LotOutcome => {
    const ranks = sums.flatMap((each) =>
      each.map((sum, lot) => ({
        same: referenceRank(sum, calibration[lot]!.same),
        other: referenceRank(sum, calibration[lot]!.other),
      })),
    );
    const total = Math.max(1, ranks.length);
    const accused = ranks.filter((rank) => Math.max(rank.same.p, rank.other.p) <= level).length;
    const bans = ranks.reduce(
      (sum, rank) => sum + Math.log10((1 + Math.min(rank.same.e, rank.other.e)) / 2),
      0,
    );
    return { models: sums.length, accused: accused / total, bans: bans / total };
  };
  return {
    calibration,
    references: { same: outcome(own('same', 'test')), other: outcome(own('other', 'test')) },
    surrogates: Object.fromEntries(
      [...surrogateGroups(models.surrogates, 'measure')].map(([recipe, group]) => [
        recipe,
        outcome(statistics(group)),
      ]),
    ),
  };
}

function lotSums(lots: readonly (readonly RatedQuestion[])[], agreement: Agreement): number[][] {
  return agreement.map((agrees) => {
    let place = 0;
    return lots.map((lot) =>
      lot.reduce((sum, { rating }) => {
        const agreed = agrees[place]! === 1;
        place += 1;
        return agreed ? sum + rating.weight : sum;
      }, 0),
    );
  });
}
