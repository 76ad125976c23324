import type { GreenPlanes } from '../prfs/prf.ts';

/**
 * The work that marking does on a whole vocabulary. Its `logits` are memory in which it marks
 * without copying: an engine writes them there, marks them and reads them, before it does so again.
 */
export interface TextKernel {
  readonly implementation: 'simd' | 'plain';
  /** The most logits that can be marked at once. */
  readonly vocabularySize: number;
  /** `vocabularySize` float32; the view lasts as long as the kernel. */
  readonly logits: Float32Array;
  /**
   * Adds `half` to the first `size` logits whose token is green and takes it from the others.
   *
   * @param keystream what `planes.stream` returned for at least `size` tokens
   */
  biasGreen(
    logits: Float32Array,
    size: number,
    planes: Pick<GreenPlanes, 'count' | 'threshold'>,
    keystream: Uint8Array,
    half: number,
  ): void;
  /**
   * Returns the tokens below `size`, in order, that may have the largest
   * logit / temperature - log(-log u), given the highest eight bits of every u; none when no logit
   * is above -Infinity.
   *
   * @param coarse one byte per token
   */
  gumbelSurvivors(
    logits: Float32Array,
    size: number,
    coarse: Uint8Array,
    temperature: number,
  ): Int32Array;
}
