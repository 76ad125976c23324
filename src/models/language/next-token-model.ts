/** A model in this process that knows how likely every token is to come next. */
export interface NextTokenModel {
  /** Token ids are in [0, vocabularySize). */
  readonly vocabularySize: number;
  /**
   * Returns the probability of every token id after a context.
   *
   * @param context token ids of the text so far, from its beginning, oldest first
   * @param into written and returned when given; `vocabularySize` long
   */
  nextDistribution(context: Int32Array, into?: Float32Array): Float32Array;
}
