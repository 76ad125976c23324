import type { Missing } from '../../contracts.ts';

/** What a suspect sent for one batch, its shape checked and its values not yet. */
export interface WireAnswers {
  /** The suspect's own labels, one for each column of `probabilities`. */
  readonly labels?: readonly string[] | undefined;
  /** One row per input; null where the suspect would not answer. */
  readonly probabilities?: readonly (readonly unknown[] | null)[] | undefined;
  /**
   * In the place of `probabilities`: for each input, the labels that the suspect names and their
   * probabilities. What they leave of 1 belongs to labels that it hides.
   */
  readonly named?: readonly (ReadonlyMap<string, unknown> | null)[] | undefined;
  /** One label per input; null where the suspect would not answer. */
  readonly answers?: readonly (string | null)[] | undefined;
  /** Why an input has no answer, in the place of a null where that is no refusal. */
  readonly missing?: readonly (Missing | undefined)[];
  /** The names of all that came, to tell when none of it can be read. */
  readonly came?: readonly string[];
}

/** How answers are to be read. */
export interface AnswerReaderOptions {
  /** The protected model's labels: the set that every answer is expressed in. */
  readonly labels: readonly string[];
  readonly labelMap?: Readonly<Record<string, string>> | undefined;
  /** The suspect's labels, where it does not name them itself. */
  readonly suspectLabels?: readonly string[] | undefined;
  /** Leaves probabilities out of the outcomes. */
  readonly labelsOnly?: boolean | undefined;
  /** The suspect's address, as it may be shown. */
  readonly address: string;
}
