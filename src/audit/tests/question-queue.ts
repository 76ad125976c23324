import type { Observation, Probe, Task } from '../../contracts.ts';

const chunk = 512;

/** Hands out questions in their sealed order, a bounded number at a time. */
export class QuestionQueue<
  Question extends { readonly probe: Probe<T> },
  T extends Task = 'classify',
> {
  readonly #questions: readonly Question[];
  #position = 0;

  constructor(questions: readonly Question[]) {
    this.#questions = questions;
  }

  get folded(): number {
    return this.#position;
  }

  get total(): number {
    return this.#questions.length;
  }

  get done(): boolean {
    return this.#position === this.#questions.length;
  }

  next(): readonly Probe<T>[] {
    return this.#questions
      .slice(this.#position, this.#position + chunk)
      .map((question) => question.probe);
  }

  /** Pairs observations with their questions and moves on; they must be in the order of `next`. */
  take(observations: readonly Observation<T>[]): readonly (readonly [Question, Observation<T>])[] {
    return observations.map((observation) => {
      const question = this.#questions[this.#position];
      if (question?.probe.id !== observation.probe.id) {
        throw new RangeError(
          `folded ${observation.probe.id} where ${question?.probe.id ?? 'nothing'} was due`,
        );
      }
      this.#position += 1;
      return [question, observation] as const;
    });
  }
}

/** Counts why probes did not enter a statistic. */
export class SkipCounter {
  readonly counts: Record<string, number> = {};

  add(reason: string, count = 1): void {
    this.counts[reason] = (this.counts[reason] ?? 0) + count;
  }
}
