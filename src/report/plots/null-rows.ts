import { logBinomialMass } from '../../stats/tails/saddle-point.ts';
import type { AuditReport } from '../model.ts';
import type { NullDistribution } from '../parts.ts';
import { clipped, grouped, visible } from '../text.ts';

/** A point of an outline: standard deviations from the mean of chance, height 0 to 1. */
export type OutlinePoint = readonly [deviations: number, height: number];

/** One null distribution on a scale where 0 is the mean of chance and 1 its standard deviation. */
export interface NullRow {
  readonly test: string;
  readonly statistic: string;
  /** Index of the test in the evidence, which gives the colour. */
  readonly series: number;
  /** Outline of the distribution; empty for references, which are drawn one by one. */
  readonly outline: readonly OutlinePoint[];
  /** Places of reference models, at most 60. */
  readonly models: readonly number[];
  readonly observed: number;
  /** What was observed, beside what chance gives, in the test's own unit. */
  readonly note: string;
}

const mostRows = 8;
const mostModels = 60;
const reach = 4.5;

const meanings: Readonly<Record<NullDistribution['shape'], string>> = {
  'coin-binomial': 'coins that agree',
  'weighted-signs': 'weighted sum of signs',
  'standard-signs': 'sum of signs, standardised',
  ranks: 'among reference models',
};

/**
 * Returns the null distributions of a report as rows, at most 8 in their order. A coin's is the exact
 * binomial of fair coins; a sum of signs is the histogram of its draws or quantiles, or a normal
 * where its standard deviation is all that is known. One without spread is left out: nothing can be
 * said of a distance from it.
 */
export function nullRows({ nulls = [], evidence }: AuditReport): readonly NullRow[] {
  return nulls.slice(0, mostRows).flatMap((distribution) => {
    const { test, shape, statistic = meanings[shape], observed } = distribution;
    const chance = chanceOf(distribution);
    if (!(chance.spread > 0) || !Number.isFinite(chance.spread)) return [];
    const place = evidence.findIndex((each) => each.test === test);
    const scaled = (value: number) => (value - chance.mean) / chance.spread;
    return {
      test: visible(test, 40),
      statistic: visible(statistic, 60),
      series: place === -1 ? evidence.length : place,
      outline: outlineOf(distribution, chance),
      models: shape === 'ranks' ? drawn(chance.values.map(scaled)) : [],
      observed: scaled(observed),
      note: `${rounded(observed)}; by chance ${rounded(chance.mean)} ± ${rounded(chance.spread)}`,
    };
  });
}

interface Chance {
  readonly mean: number;
  readonly spread: number;
  /** Ascending draws or quantiles; empty where a formula says more. */
  readonly values: readonly number[];
}

function chanceOf({ shape, trials, draws = [], quantiles = [] }: NullDistribution): Chance {
  if (shape === 'coin-binomial' && trials !== undefined) {
    return { mean: trials / 2, spread: Math.sqrt(trials) / 2, values: [] };
  }
  if (shape === 'standard-signs') return { mean: 0, spread: 1, values: [] };
  const values = (draws.length > 0 ? draws : quantiles).toSorted((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: Math.sqrt(squares / Math.max(1, values.length - 1)), values };
}

function outlineOf(
  { shape, trials }: NullDistribution,
  { mean, spread, values }: Chance,
): readonly OutlinePoint[] {
  if (shape === 'ranks') return [];
  if (shape === 'standard-signs') return normalOutline;
  if (values.length === 0) return binomialOutline(trials ?? 0, mean, spread);
  const slots = values.length < 200 ? 24 : 48;
  const counts = new Array<number>(slots).fill(0);
  for (const value of values) {
    const slot = Math.floor(((value - mean) / spread / reach + 1) * (slots / 2));
    counts[Math.max(0, Math.min(slots - 1, slot))]! += 1;
  }
  const most = Math.max(...counts);
  const edge = (slot: number) => (slot / (slots / 2) - 1) * reach;
  return counts.flatMap((count, slot): OutlinePoint[] => [
    [edge(slot), count / most],
    [edge(slot + 1), count / most],
  ]);
}

const normalOutline: readonly OutlinePoint[] = Array.from({ length: 91 }, (_, index) => {
  const deviations = (index / 45 - 1) * reach;
  return [deviations, Math.exp(-(deviations ** 2) / 2)] as const;
});

function binomialOutline(trials: number, mean: number, spread: number): readonly OutlinePoint[] {
  const from = Math.max(0, Math.floor(mean - reach * spread));
  const to = Math.min(trials, Math.ceil(mean + reach * spread));
  const step = Math.max(1, Math.ceil((to - from) / 120));
  const centre = logBinomialMass(Math.round(mean), trials, 0.5);
  const points: OutlinePoint[] = [];
  for (let hits = from; hits <= to; hits += step) {
    const height = Math.exp(logBinomialMass(hits, trials, 0.5) - centre);
    points.push([(hits - mean) / spread, Math.min(1, height)]);
  }
  return points;
}

function drawn(models: readonly number[]): readonly number[] {
  const kept = Math.min(models.length, mostModels);
  const step = Math.max(1, (models.length - 1) / (mostModels - 1));
  return Array.from({ length: kept }, (_, index) => models[Math.round(index * step)]!);
}

function rounded(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return clipped(grouped(Math.round(value)), 24);
  return grouped(Number(value.toPrecision(3)));
}
