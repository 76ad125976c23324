import { isComparable } from '../../src/audit/fingerprinting/ability.ts';
import { quirkWeight } from '../../src/fingerprints/quirk-weights.ts';
import { mergedQuirks } from '../../src/fingerprints/reference-null.ts';
import { clopperPearson, kolmogorovSmirnov } from '../../src/stats/bounds.ts';
import { areaUnderCurve } from '../../src/stats/mann-whitney.ts';
import type { MemberFindings, ModelFinding, QuirkFinding } from './measure-member.ts';

export const bothKinds = ['same', 'other'] as const;
export type DataKind = (typeof bothKinds)[number];

/** The name under which the evidence of all counted quirks together is shown. */
export const together = 'all counted, averaged';

/** What a quirk told of some surrogates; means over members, so that each weighs alike. */
export interface Power {
  readonly quirk: string;
  readonly surrogates: number;
  /** Area under the curve against independents that learnt from the same or from other data. */
  readonly area: Readonly<Record<DataKind, number>>;
  /** Share above the statistic that 5% of those independents exceed. */
  readonly found: Readonly<Record<DataKind, number>>;
  readonly log10E: number;
}

/** How a quirk kept its promises on independents of one kind. */
export interface NullCheck {
  readonly quirk: string;
  readonly kind: DataKind;
  readonly models: number;
  readonly meanE: number;
  /** Shares with E >= 5 and E >= 10, at most .2 and .1 by Markov's inequality. */
  readonly atLeast5: number;
  readonly atLeast10: number;
  /** E >= 20, and its 95% interval. */
  readonly large: number;
  readonly largeInterval: { readonly lower: number; readonly upper: number };
  /** p <= .05, the larger of the two kinds' ranks; absent for averages, which have no p. */
  readonly small?: number;
  readonly smallInterval?: { readonly lower: number; readonly upper: number };
  /** The one-sided test of Kolmogorov and Smirnov that p is not below uniform. */
  readonly superUniformP?: number;
}

const level = 0.05;

/** The quirks that any model showed, in their order. */
export function quirksOf(members: readonly MemberFindings[]): string[] {
  const [{ models = [] } = {}] = members;
  return [...new Set(models.flatMap(({ quirks }) => quirks.map(({ quirk }) => quirk)))];
}

/** Says what a quirk tells of the surrogates that `chosen` picks. */
export function powerOf(
  members: readonly MemberFindings[],
  quirk: string,
  chosen: (model: ModelFinding) => boolean,
): Power | undefined {
  const each = countedMembers(members, quirk).flatMap(({ models }) => {
    const found = valuesOf(
      models.filter((model) => model.truth === 'surrogate' && chosen(model)),
      quirk,
    );
    if (found.length === 0) return [];
    const against = (kind: DataKind) => valuesOf(independents(models, kind), quirk);
    const statistics = found.map(({ statistic }) => statistic);
    const of = (measure: (independent: readonly number[]) => number) => ({
      same: measure(against('same').map(({ statistic }) => statistic)),
      other: measure(against('other').map(({ statistic }) => statistic)),
    });
    return [
      {
        surrogates: found.length,
        area: of((others) => areaUnderCurve(statistics, others)),
        found: of((others) => {
          const threshold = exceededBy(others, level);
          return share(statistics, (statistic) => statistic > threshold);
        }),
        log10E: mean(found.map(({ log10E }) => log10E)),
      },
    ];
  });
  if (each.length === 0) return undefined;
  const over = (measure: (power: (typeof each)[number]) => number) => mean(each.map(measure));
  return {
    quirk,
    surrogates: each.reduce((sum, { surrogates }) => sum + surrogates, 0),
    area: { same: over(({ area }) => area.same), other: over(({ area }) => area.other) },
    found: { same: over(({ found }) => found.same), other: over(({ found }) => found.other) },
    log10E: over(({ log10E }) => log10E),
  };
}

/** Checks a quirk on independents of one kind, of families that references have or not. */
export function nullCheck(
  members: readonly MemberFindings[],
  quirk: string,
  kind: DataKind,
  chosen: (model: ModelFinding) => boolean = () => true,
): NullCheck | undefined {
  const models = countedMembers(members, quirk)
    .flatMap((member) => independents(member.models, kind))
    .filter(chosen);
  const found = valuesOf(models, quirk);
  if (found.length === 0) return undefined;
  const large = found.filter(({ log10E }) => log10E >= Math.log10(20)).length;
  const larger = found.map(({ pSame, pOther }) => Math.max(pSame, pOther));
  const small = larger.filter((p) => p <= level).length;
  const common = {
    ...{ quirk, kind, models: found.length, large: large / found.length },
    meanE: mean(found.map(({ log10E }) => 10 ** log10E)),
    atLeast5: share(found, ({ log10E }) => log10E >= Math.log10(5)),
    atLeast10: share(found, ({ log10E }) => log10E >= 1),
    largeInterval: clopperPearson(large, found.length, 0.95),
  };
  if (quirk === together) return common;
  return {
    ...common,
    small: small / found.length,
    smallInterval: clopperPearson(small, found.length, 0.95),
    superUniformP: kolmogorovSmirnov(larger).superUniformP,
  };
}

/** Together quirks are worth something only where references are as able as the protected model. */
function countedMembers(
  members: readonly MemberFindings[],
  quirk: string,
): readonly MemberFindings[] {
  return quirk === together ? members.filter(({ ability }) => isComparable(ability)) : members;
}

/** The findings of one quirk, or the average of all counted ones under their weights. */
function valuesOf(models: readonly ModelFinding[], quirk: string): QuirkFinding[] {
  if (quirk !== together)
    return models.flatMap(({ quirks }) => quirks.filter((each) => each.quirk === quirk));
  return models.map(({ quirks }) => {
    const log10E = mergedBans(quirks);
    return { quirk, statistic: log10E, log10E, pSame: 1, pOther: 1 };
  });
}

/** log10 of the average e-value of a model's counted quirks. */
export function mergedBans(quirks: readonly QuirkFinding[]): number {
  return mergedQuirks(
    quirks.map(({ quirk, log10E, statistic }) => ({
      ...{ name: quirk, meaning: '', weight: quirkWeight(quirk), protectedModel: 0 },
      ...{ same: [], other: [] },
      suspect: { statistic, log10E, amongSame: unranked, amongOther: unranked },
    })),
  );
}

const unranked = { p: 1, log10P: 0, e: 1, log10E: 0, references: 0 };

function independents(models: readonly ModelFinding[], kind: DataKind): ModelFinding[] {
  return models.filter(({ truth }) => truth === `${kind}-data independent`);
}

/** The smallest value that at most a share of the values exceeds. */
function exceededBy(values: readonly number[], atMost: number): number {
  const sorted = [...values].sort((one, two) => two - one);
  return sorted[Math.floor(atMost * sorted.length)]!;
}

function share<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  return items.filter(holds).length / items.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
