import type { ClassifierAnswers } from './classifier-answers.ts';
import type { LanguageAnswers } from './language-answers.ts';
import type { LanguageProbeSet } from './language-probe-set.ts';
import type { ClassifierProbeSet } from './probe-set.ts';

/** The probes and answers that a quirk is read from, by the task of the model. */
export interface QuirkTasks {
  readonly classify: { readonly probes: ClassifierProbeSet; readonly answers: ClassifierAnswers };
  readonly language: { readonly probes: LanguageProbeSet; readonly answers: LanguageAnswers };
}
export type QuirkTask = keyof QuirkTasks;

/**
 * One way in which a model differs from others that do the same work: how it is read from answers,
 * and how alike two models are in it.
 */
export interface Quirk<T extends QuirkTask = QuirkTask> {
  readonly name: string;
  readonly task: T;
  /** What it is, as a sentence for readers of a report. */
  readonly meaning: string;
  /**
   * Returns the quirk of a model as numbers, as many for every model that answers the same probes:
   * finite, or NaN where a question without an answer says nothing. Undefined when the answers or
   * the probes lack what it is read from, such as probabilities.
   */
  extract(
    answers: QuirkTasks[T]['answers'],
    probes: QuirkTasks[T]['probes'],
  ): Float64Array | undefined;
  /** Returns how alike two models are, in -1..1: 1 for the same numbers. */
  compare(one: Float64Array, two: Float64Array): number;
}
