import type { Sampling } from '../contracts.ts';
import type { TextWatermark } from '../watermark/text/watermark.ts';

/** A place in the serving log where a context occurred for the first time. */
export interface Reading {
  /** The tokens before the place, of one served text, oldest first; the context is their end. */
  readonly tokens: Int32Array;
  /**
   * The reference model's probability of each token id there; absent without a reference model. It
   * learned from no text of ours.
   */
  readonly reference?: Float32Array;
}

/** The finished data that text tests work on; nothing here depends on the suspect. */
export interface TextMaterial {
  readonly watermark: TextWatermark;
  /** Commitment to the key that the watermark was opened with. */
  readonly keyMaterial: string;
  /** Prompts whose continuations by the suspect are tested, fixed without the key. */
  readonly prompts: readonly Int32Array[];
  readonly sampling: Sampling;
  /** First occurrences of contexts in the log, in served order. */
  readonly readings: readonly Reading[];
  /** Turns a suspect's text into tokens when it does not give them. */
  readonly encode: (text: string) => readonly number[];
}
