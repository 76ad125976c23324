import type { Sampling } from '../contracts.ts';
import type { NextTokenModel } from '../models/language/next-token-model.ts';
import type { TextWatermark } from '../watermark/text/watermark.ts';

/** The finished data that text tests work on; nothing here depends on the suspect. */
export interface TextMaterial {
  readonly watermark: TextWatermark;
  /** Commitment to the key that the watermark was opened with. */
  readonly keyMaterial: string;
  /** Prompts whose continuations by the suspect are tested, fixed without the key. */
  readonly prompts: readonly Int32Array[];
  readonly sampling: Sampling;
  /**
   * The tokens before first occurrences of contexts in the log, in served order: each ends in its
   * context.
   */
  readonly readings: readonly Int32Array[];
  /**
   * The number of readings at which p-values are taken, sealed before serving; with fewer there is
   * none, since a tenant who decides how long the log is may stop when it leads.
   */
  readonly horizon: number;
  /** A model that learned from no text of ours, trained before sealing; for contrast. */
  readonly reference?: NextTokenModel;
  /** Turns a suspect's text into tokens when it does not give them. */
  readonly encode: (text: string) => readonly number[];
}
