import type { Evidence, Input, Observation, Probe, TestRun } from '../../contracts.ts';
import { noEvidence, searchProbe } from '../answer-collection.ts';
import { type Path, pathBetween } from '../path-between.ts';

/** Two questions that the protected model answers differently. */
export interface Pair {
  readonly from: { readonly input: Input; readonly label: string };
  readonly to: { readonly input: Input; readonly label: string };
}

/** A question that was asked on the way to a boundary. */
export interface BoundaryQuestion {
  readonly input: Input;
  readonly label: string;
}

interface Search {
  readonly path: Path;
  readonly label: string;
  /** The last step known to have the label of the beginning. */
  low: number;
  /** A step known not to have it. */
  high: number;
}

/**
 * Finds where the protected model's answer changes between two questions, by bisection: each round
 * asks the middle of every path that is still open, so that a path of m steps takes log2(m)
 * questions, rounded up. A path whose middle gets no answer is given up.
 */
export class Bisection implements TestRun {
  readonly #searches: Search[];
  readonly #labels: ReadonlySet<string>;
  readonly #asked = new Map<string, BoundaryQuestion>();
  #due: readonly { readonly search: Search; readonly step: number; readonly probe: Probe }[] = [];

  /** @param depth the number of questions between two tensors */
  constructor(pairs: readonly Pair[], labels: readonly string[], depth: number) {
    this.#labels = new Set(labels);
    this.#searches = pairs.flatMap(({ from, to }) => {
      const path = pathBetween(from.input, to.input, depth);
      return path ? [{ path, label: from.label, low: 0, high: path.length }] : [];
    });
  }

  /** Every question that was asked and answered, each once. */
  get questions(): readonly BoundaryQuestion[] {
    return [...this.#asked.values()];
  }

  /** For each path the last question before its boundary and the first one behind. */
  get brackets(): readonly (readonly [before: Input, behind: Input])[] {
    return this.#searches.map(({ path, low, high }) => [path.at(low), path.at(high)] as const);
  }

  next(): readonly Probe[] {
    this.#due = this.#searches
      .filter(({ low, high }) => high - low > 1)
      .map((search) => {
        const step = Math.floor((search.low + search.high) / 2);
        return { search, step, probe: searchProbe(search.path.at(step), 'labels') };
      });
    return this.#due.map(({ probe }) => probe);
  }

  fold(observations: readonly Observation[]): void {
    observations.forEach((observation, index) => {
      const { search, step } = this.#due[index]!;
      if (!('answer' in observation) || !this.#labels.has(observation.answer.label)) {
        search.high = search.low;
        return;
      }
      const { label } = observation.answer;
      const { id, input } = observation.probe;
      this.#asked.set(id, { input, label });
      if (label === search.label) search.low = step;
      else search.high = step;
    });
  }

  evidence(): Evidence {
    const isDone = this.#searches.every(({ low, high }) => high - low <= 1);
    return noEvidence('bisection', this.#asked.size, isDone);
  }
}
