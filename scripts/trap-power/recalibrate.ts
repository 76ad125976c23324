import { agreementsOf } from '../../src/audit/trap-search/candidates.ts';
import type { RegionModels } from '../../src/audit/trap-search/region-models.ts';
import { referenceRank } from '../../src/stats/reference-ranks.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import type { RegionLot } from '../../src/traps/kinds/region.ts';
import { decodeInput } from '../../src/traps/trap-set.ts';
import type { ZooModel } from '../zoo/zoo-model.ts';

/** Shares with p <= .05. */
export interface Rates {
  readonly same: number;
  readonly other: number;
  readonly surrogates: number;
}

/** How one lot does when other references calibrate it than the set says. */
export interface Recalibration {
  /** Mean over 200 draws of the references that calibrate, among those that chose no trap. */
  readonly redrawn: Rates;
  /** Ranked among all of those, small and large ones apart; the largest of four p-values counts. */
  readonly bySize: Rates;
}

interface Reference {
  readonly group: string;
  readonly size: string;
  readonly statistic: number;
}

const draws = 200;
const level = 0.05;
const small = new Set(['network-0', 'network-24', 'naive-bayes', 'perceptron']);

/**
 * Tells luck from fault in a rate of false accusations: one set of references gives the threshold of
 * all audits, so that the rate over many suspects is itself a draw, whose mean is the nominal one.
 *
 * @param statistics of the subjects over the lot, in their order
 */
export function recalibrate(
  lot: RegionLot,
  models: RegionModels,
  subjects: readonly ZooModel[],
  statistics: readonly number[],
): Recalibration {
  const references = referencesOver(lot, models);
  const random = seededRandom('recalibration');
  const kinds = ['same', 'other'].map((kind) => references.filter(({ group }) => group === kind));
  const rates = Array.from({ length: draws }, () =>
    ratesOf(
      subjects,
      statistics,
      kinds.map((all) => random.choose(all, Math.floor(all.length / 2))),
    ),
  );
  const mean = (rate: keyof Rates) => rates.reduce((sum, each) => sum + each[rate], 0) / draws;
  const sizes = kinds.flatMap((all) =>
    ['small', 'large'].map((wanted) => all.filter(({ size }) => size === wanted)),
  );
  return {
    redrawn: { same: mean('same'), other: mean('other'), surrogates: mean('surrogates') },
    bySize: ratesOf(subjects, statistics, sizes),
  };
}

function referencesOver(lot: RegionLot, models: RegionModels): Reference[] {
  const free = models.references.filter(({ part }) => part !== 'select');
  const agreement = agreementsOf(
    models,
    free.map(({ layers }) => layers),
    lot.traps.map(({ input, label }) => ({ input: decodeInput(input), label })),
  );
  return free.map(({ kind, family }, index) => ({
    group: kind,
    size: small.has(family) ? 'small' : 'large',
    statistic: lot.traps.reduce(
      (sum, { weight }, place) => sum + weight * agreement[index]![place]!,
      0,
    ),
  }));
}

function ratesOf(
  subjects: readonly ZooModel[],
  statistics: readonly number[],
  groups: readonly (readonly Reference[])[],
): Rates {
  const values = groups.map((group) => group.map(({ statistic }) => statistic));
  const accused = statistics.map((own) =>
    values.every((group) => referenceRank(own, group).p <= level),
  );
  const share = (truth: ZooModel['truth']) => {
    const own = accused.filter((_, index) => subjects[index]!.truth === truth);
    return own.filter(Boolean).length / Math.max(1, own.length);
  };
  return {
    same: share('same-data independent'),
    other: share('other-data independent'),
    surrogates: share('surrogate'),
  };
}
