import type { Evidence, Observation, Probe, TestRun } from '../../contracts.ts';
import {
  type ClassifierAnswers,
  noAnswer,
  noCrossing,
  outsideLabel,
  timings,
  unknownCrossing,
} from '../../fingerprints/classifier-answers.ts';
import type { Fingerprint } from '../../fingerprints/fingerprint.ts';
import { type ClassifierProbeSet, decodeQuestion } from '../../fingerprints/probe-set.ts';
import { type AnswerDetail, noEvidence } from '../answer-collection.ts';
import { type Path, pathBetween } from '../path-between.ts';

/** The questions that are asked alone and timed, each several times over, in rounds. */
export function timedProbes({ questions, timed }: ClassifierProbeSet): Probe[] {
  return Array.from({ length: timed * timings }, (_, index) => {
    const [question, repeat] = [index % timed, Math.floor(index / timed)];
    const input = decodeQuestion(questions[question]!.input);
    return { id: `timed/${question}/${repeat}`, task: 'classify', input, repeat };
  });
}

/** About how many questions a probe set has in all, those between pairs included. */
export function expectedQuestions({
  questions,
  repeated,
  pairs,
  depth,
}: ClassifierProbeSet): number {
  return questions.length + repeated + pairs.length * depth;
}

interface Search {
  readonly pair: number;
  readonly path: Path;
  /** The answer to the first question of the pair. */
  readonly label: number;
  /** The last step known to have that answer. */
  low: number;
  /** A step known not to have it. */
  high: number;
}

/**
 * Puts a probe set to a classifier: first every question, and the first ones again; then, for each
 * pair of questions that it answers differently, the middle of what is left between them, until the
 * boundary lies between two neighbouring steps.
 */
export class ClassifierTaking implements TestRun {
  readonly #probes: ClassifierProbeSet;
  readonly #detail: AnswerDetail;
  readonly #prefix: string;
  readonly #classes: ReadonlyMap<string, number>;
  readonly #labels: Int16Array;
  readonly #again: Int16Array;
  readonly #probabilities: Float32Array;
  readonly #crossings: Float32Array;
  readonly #outcomes = { answered: 0, refused: 0, failed: 0, unsupported: 0, outside: 0 };
  #gaveProbabilities = false;
  #searches: Search[] = [];
  #stage: 'questions' | 'boundaries' = 'questions';
  #due: readonly { readonly probe: Probe; readonly search?: Search; readonly step?: number }[] = [];

  /** @param prefix goes before the identifiers of probes */
  constructor(probes: ClassifierProbeSet, detail: AnswerDetail, prefix = '') {
    const { questions, labels, pairs, repeated } = probes;
    this.#probes = probes;
    this.#detail = detail;
    this.#prefix = prefix;
    this.#classes = new Map(labels.map((label, index) => [label, index]));
    this.#labels = new Int16Array(questions.length).fill(noAnswer);
    this.#again = new Int16Array(repeated).fill(noAnswer);
    const known = detail === 'probabilities' ? questions.length * labels.length : 0;
    this.#probabilities = new Float32Array(known).fill(1 / labels.length);
    this.#crossings = new Float32Array(pairs.length).fill(unknownCrossing);
  }

  /** Questions that were asked and came back with an answer, or without one, and why. */
  get outcomes(): Fingerprint['outcomes'] {
    return { ...this.#outcomes };
  }

  /** What is known so far. */
  answers(): ClassifierAnswers {
    return {
      labels: this.#labels,
      again: this.#again,
      crossings: this.#crossings,
      ...(this.#gaveProbabilities && { probabilities: this.#probabilities }),
    };
  }

  next(): readonly Probe[] {
    this.#due = this.#stage === 'questions' ? this.#questions() : this.#middles();
    return this.#due.map(({ probe }) => probe);
  }

  fold(observations: readonly Observation[]): void {
    observations.forEach((observation, index) => {
      const label = this.#read(observation);
      const { search, step } = this.#due[index]!;
      if (search === undefined) this.#note(observation, label, index);
      else this.#narrow(search, step!, label);
    });
    if (this.#stage === 'questions') this.#beginSearches();
  }

  evidence(): Evidence {
    const { answered, refused, failed, unsupported } = this.#outcomes;
    const done = this.#stage === 'boundaries' && this.#searches.every(isFound);
    return noEvidence('fingerprint', answered + refused + failed + unsupported, done);
  }

  #questions() {
    const { questions, repeated } = this.#probes;
    const ask = (name: string, question: number, repeat: number) => ({
      probe: this.#probe(`${name}/${question}`, decodeQuestion(questions[question]!.input), repeat),
    });
    return [
      ...questions.map((_, question) => ask('question', question, 0)),
      ...Array.from({ length: repeated }, (_, question) => ask('again', question, 1)),
    ];
  }

  #middles() {
    return this.#searches
      .filter((search) => !isFound(search))
      .map((search) => {
        const step = Math.floor((search.low + search.high) / 2);
        const id = `between/${search.pair}/${step}`;
        return { search, step, probe: this.#probe(id, search.path.at(step), 0) };
      });
  }

  #probe(id: string, input: Probe['input'], repeat: number): Probe {
    return { id: `${this.#prefix}${id}`, task: 'classify', input, repeat };
  }

  #read(observation: Observation): number {
    if (!('answer' in observation)) {
      this.#outcomes[observation.missing] += 1;
      return noAnswer;
    }
    this.#outcomes.answered += 1;
    const label = this.#classes.get(observation.answer.label) ?? outsideLabel;
    if (label === outsideLabel) this.#outcomes.outside += 1;
    return label;
  }

  #note(observation: Observation, label: number, index: number): void {
    const { questions, labels } = this.#probes;
    if (index >= questions.length) {
      this.#again[index - questions.length] = label;
      return;
    }
    this.#labels[index] = label;
    const given = 'answer' in observation ? observation.answer.probabilities : undefined;
    if (given !== undefined && this.#detail === 'probabilities') {
      this.#gaveProbabilities = true;
      this.#probabilities.set(given, index * labels.length);
    }
  }

  #narrow(search: Search, step: number, label: number): void {
    if (label === noAnswer) {
      search.high = search.low;
      return;
    }
    if (label === search.label) search.low = step;
    else search.high = step;
    if (isFound(search)) {
      const { path, low, high, pair } = search;
      this.#crossings[pair] = (low + high) / 2 / path.length;
    }
  }

  #beginSearches(): void {
    const { questions, pairs, depth } = this.#probes;
    this.#stage = 'boundaries';
    this.#searches = pairs.flatMap(([from, to], pair) => {
      const [first, last] = [this.#labels[from]!, this.#labels[to]!];
      if (first === noAnswer || last === noAnswer) return [];
      if (first === last) {
        this.#crossings[pair] = noCrossing;
        return [];
      }
      const ends = [from, to].map((index) => decodeQuestion(questions[index]!.input));
      const path = pathBetween(ends[0]!, ends[1]!, depth);
      if (path === undefined) return [];
      if (path.length === 1) this.#crossings[pair] = 0.5;
      return [{ pair, path, label: first, low: 0, high: path.length }];
    });
  }
}

function isFound({ low, high }: Search): boolean {
  return high - low <= 1;
}
