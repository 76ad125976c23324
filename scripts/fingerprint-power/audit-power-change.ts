import { seededRandom } from '../../src/stats/sampling.ts';
import {
  fullScore,
  keyedScore,
  mean,
  nominalScore,
  type Score,
  type Subject,
} from './audit-power-subjects.ts';

/** What a score has to exceed so that innocents do in 1% of audits. */
export interface Threshold {
  readonly above: number;
  /** Share of innocent audits above it, both kinds of independents weighing alike. */
  readonly realised: number;
  /** Which share of the scores that are tied with it would make that 1%. */
  readonly tied: number;
}

/** What fingerprints do to the power of an audit. */
export interface PowerChange {
  readonly surrogates: number;
  readonly thresholds: { readonly without: Threshold; readonly with: Threshold };
  /** Shares of audits of surrogates above the threshold. */
  readonly without: number;
  readonly with: number;
  /** The difference where ties are broken at random, so that both scores realise 1% exactly. */
  readonly untied: number;
  /** Shares with a score of at least 2, which is 1% by the e-values' own bound. */
  readonly nominal: { readonly without: number; readonly with: number };
}

/** 95% intervals of the difference of powers (Efron 1979). */
export interface ChangeIntervals {
  /** Surrogates redrawn, under the same thresholds. */
  readonly surrogates: readonly [lower: number, upper: number];
  /** Independents redrawn too, and the thresholds found anew. */
  readonly everybody: readonly [lower: number, upper: number];
}

const level = 0.01;
const resamples = 1000;

/** Who is audited with how many questions: `size` is a column of the keyed scores. */
export interface Comparison {
  readonly subjects: readonly Subject[];
  readonly size: number;
  /** Which surrogates count; all by default. */
  readonly chosen?: (surrogate: Subject) => boolean;
}

/** Compares the power of the score with and without fingerprints at 1% realised false accusations. */
export function powerChange(comparison: Comparison): PowerChange | undefined {
  const { surrogates, innocents, ranked, size } = prepare(comparison);
  if (surrogates.length === 0) return undefined;
  const once = innocents.map(() => 1);
  const [without, withThem] = ranked.map((each) => thresholdOf(each, innocents, once)) as Pair;
  const found = (score: Score, threshold: Threshold, ties: boolean) =>
    mean(surrogates.map((each) => shareAbove(each, size, score, threshold, ties)));
  const nominal = { above: nominalScore - 1e-12, realised: level, tied: 0 };
  return {
    surrogates: surrogates.length,
    thresholds: { without, with: withThem },
    without: found(keyedScore, without, false),
    with: found(fullScore, withThem, false),
    untied: found(fullScore, withThem, true) - found(keyedScore, without, true),
    nominal: {
      without: found(keyedScore, nominal, false),
      with: found(fullScore, nominal, false),
    },
  };
}

/** Returns how far the difference of powers may be from the one that was measured. */
export function changeIntervals(comparison: Comparison): ChangeIntervals {
  const { surrogates, innocents, ranked, size } = prepare(comparison);
  const random = seededRandom(`redrawn/${size}`);
  const differences = (times: readonly number[]) => {
    const [without, withThem] = ranked.map((each) => thresholdOf(each, innocents, times)) as Pair;
    return (each: Subject) =>
      shareAbove(each, size, fullScore, withThem, false) -
      shareAbove(each, size, keyedScore, without, false);
  };
  const draw = () => surrogates.map(() => random.integer(surrogates.length));
  const measured = surrogates.map(differences(innocents.map(() => 1)));
  const narrow = Array.from({ length: resamples }, () => mean(draw().map((at) => measured[at]!)));
  const wide = Array.from({ length: resamples }, () => {
    const anew = differences(redrawn(innocents, random.integer));
    return mean(draw().map((at) => anew(surrogates[at]!)));
  });
  return { surrogates: middle95(narrow), everybody: middle95(wide) };
}

type Pair = [Threshold, Threshold];

function prepare({ subjects, size, chosen = () => true }: Comparison) {
  const innocents = subjects.filter(({ truth }) => truth !== 'surrogate');
  return {
    size,
    innocents,
    surrogates: subjects.filter((each) => each.truth === 'surrogate' && chosen(each)),
    ranked: [keyedScore, fullScore].map((score) => rankInnocents(innocents, size, score)),
  };
}

interface RankedAudit {
  readonly score: number;
  readonly innocent: number;
}

function rankInnocents(innocents: readonly Subject[], size: number, score: Score): RankedAudit[] {
  return innocents
    .flatMap((each, innocent) =>
      each.keyed.map((row) => ({ innocent, score: score(each, row[size]!) })),
    )
    .sort((one, two) => two.score - one.score);
}

/** @param times how often each innocent counts */
function thresholdOf(
  ranked: readonly RankedAudit[],
  innocents: readonly Subject[],
  times: readonly number[],
): Threshold {
  const totals = new Map<string, number>();
  innocents.forEach(({ truth, keyed }, index) => {
    totals.set(truth, (totals.get(truth) ?? 0) + keyed.length * times[index]!);
  });
  const weights = innocents.map(
    ({ truth }, index) => times[index]! / totals.size / totals.get(truth)!,
  );
  let realised = 0;
  for (let from = 0; from < ranked.length; ) {
    const { score } = ranked[from]!;
    let tie = 0;
    let to = from;
    for (; to < ranked.length && ranked[to]!.score === score; to += 1)
      tie += weights[ranked[to]!.innocent]!;
    if (realised + tie > level + 1e-12)
      return { above: score, realised, tied: (level - realised) / tie };
    realised += tie;
    from = to;
  }
  throw new RangeError('there are no innocents');
}

function shareAbove(
  subject: Subject,
  size: number,
  score: Score,
  { above, tied }: Threshold,
  ties: boolean,
): number {
  const shares = subject.keyed.flatMap((row) => {
    const keyed = row[size];
    if (keyed === undefined) return [];
    const own = score(subject, keyed);
    return [own > above ? 1 : own === above && ties ? tied : 0];
  });
  return mean(shares);
}

/** Draws as many innocents of each kind as there are, with replacement. */
function redrawn(innocents: readonly Subject[], integer: (below: number) => number): number[] {
  const times = innocents.map(() => 0);
  for (const truth of new Set(innocents.map((each) => each.truth))) {
    const own = [...innocents.keys()].filter((index) => innocents[index]!.truth === truth);
    for (const _ of own) times[own[integer(own.length)]!]! += 1;
  }
  return times;
}

function middle95(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((one, two) => one - two);
  return [
    sorted[Math.floor(0.025 * sorted.length)]!,
    sorted[Math.ceil(0.975 * sorted.length) - 1]!,
  ];
}
