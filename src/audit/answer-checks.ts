import type { Evidence, Observation, Probe, TestRun } from '../contracts.ts';
import { seededRandom } from '../stats/sampling.ts';

/** What asking some probes twice says of how a suspect answers. */
export interface AnswerChecks {
  /** Probes that were answered both times. */
  readonly asked: number;
  readonly changedLabels: number;
  /** Between the two answers to a probe, over all labels; 0 where only labels are given. */
  readonly largestProbabilityChange: number;
  /** `samples`: labels change, as at a temperature above 0; `varies`: probabilities alone do. */
  readonly answers: 'fixed' | 'varies' | 'samples' | 'unknown';
  /** The second answers are the first ones and came much sooner. */
  readonly likelyCaching: boolean;
  /** Median milliseconds of answers, where those of enough pairs were measured. */
  readonly medianFirst?: number;
  readonly medianSecond?: number;
}

/** Probes that are asked a second time, where so many may be. */
export const repeats = 8;
const leastTimedPairs = 6;
/** A cache is believed when nearly all pairs say that it is so many times as fast, and saves so many milliseconds. */
const mostPairs = 0.9;
const cacheRatio = 3;
const cacheSaving = 5;
/** Below it two probabilities are the same number, summed or printed differently. */
const rounding = 1e-6;

/**
 * Chooses, by the plan's seed, probes of the audit to ask a second time at its end. `firsts` and
 * `seconds` belong in requests of their own (`AskOptions.alone`), or their times say nothing.
 */
export function repeatedProbes(
  candidates: readonly Probe[],
  seed: string,
): { readonly firsts: readonly Probe[]; readonly seconds: readonly Probe[] } {
  const firsts = seededRandom(`${seed}/repeat`).choose(
    candidates,
    Math.min(repeats, candidates.length),
  );
  const seconds = firsts.map((probe) => ({
    ...probe,
    id: repeatOf(probe),
    repeat: probe.repeat + 1,
  }));
  return { firsts, seconds };
}

/** Asks the second time; folded by no test that counts. */
export class RepeatRun implements TestRun {
  #left: readonly Probe[];

  /** @param observed what the audit has asked: a probe that it did not come to is not repeated */
  constructor(
    firsts: readonly Probe[],
    seconds: readonly Probe[],
    observed: { has(id: string): boolean },
  ) {
    this.#left = seconds.filter((_, index) => observed.has(firsts[index]!.id));
  }

  next(): readonly Probe[] {
    return this.#left;
  }

  fold(): void {
    this.#left = [];
  }

  evidence(): Evidence {
    return {
      test: 'repeats',
      null: 'descriptive',
      status: 'done',
      log10E: 0,
      probes: 0,
      skipped: {},
      effect: {},
      keyMaterial: [],
      assumptions: [],
    };
  }
}

/**
 * Compares the first answers to probes with the second ones.
 *
 * @param observations of firsts and seconds, by id
 * @param millisecondsOf how long a probe's answer took, where that was measured
 */
export function checkAnswers(
  firsts: readonly Probe[],
  observations: ReadonlyMap<string, Observation>,
  millisecondsOf: (probe: Probe) => number | undefined,
): AnswerChecks {
  let asked = 0;
  let changedLabels = 0;
  let largestProbabilityChange = 0;
  const times: { first: number; second: number }[] = [];
  for (const probe of firsts) {
    const first = observations.get(probe.id);
    const second = observations.get(repeatOf(probe));
    if (!first || !second || !('answer' in first) || !('answer' in second)) continue;
    asked += 1;
    if (first.answer.label !== second.answer.label) changedLabels += 1;
    const others = second.answer.probabilities;
    first.answer.probabilities?.forEach((value, label) => {
      const change = Math.abs(value - (others?.[label] ?? value));
      largestProbabilityChange = Math.max(largestProbabilityChange, change);
    });
    const [before, after] = [millisecondsOf(first.probe), millisecondsOf(second.probe)];
    if (before !== undefined && after !== undefined) times.push({ first: before, second: after });
  }
  const varies = largestProbabilityChange > rounding;
  const same = changedLabels > 0 ? 'samples' : varies ? 'varies' : 'fixed';
  const checks = { asked, changedLabels, largestProbabilityChange };
  const answers = asked === 0 ? 'unknown' : same;
  if (times.length < leastTimedPairs) return { ...checks, answers, likelyCaching: false };
  const medianFirst = median(times.map(({ first }) => first));
  const medianSecond = median(times.map(({ second }) => second));
  const soon = times.filter(({ first, second }) => first > cacheRatio * second).length;
  const sooner = soon >= mostPairs * times.length && medianFirst - medianSecond > cacheSaving;
  const likelyCaching = answers === 'fixed' && sooner;
  return { ...checks, answers, likelyCaching, medianFirst, medianSecond };
}

function repeatOf({ id }: Probe): string {
  return `repeat/${id}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
