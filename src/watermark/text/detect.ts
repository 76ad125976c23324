import { type KeyStatistic, type KeyStatistics, keyStatistics } from './key-statistics.ts';
import type { SkipReason, TokenText } from './token-pairs.ts';
import type { TextWatermark } from './watermark.ts';

/** What a set of texts says of one key. */
export interface TextDetection {
  readonly texts: number;
  /** Distinct (context, token) pairs that were scored; for a biased list, occurrences of its tokens. */
  readonly scored: number;
  /** Tokens that were not, by reason. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  readonly total: number;
  /**
   * Mean score of a pair, and what it is expected to be without the mark; for a biased list, the total
   * as a share of the most that it can be, from -1 to 1.
   */
  readonly mean: number;
  readonly expected: number;
  /** log10 of the exact p-value of the texts as one fixed sample. */
  readonly log10P: number;
  /**
   * log10 of the e-value in the texts' order; valid whenever one stops reading. For a biased list, whose
   * signs all texts share, it is valid like the p-value: for one look at texts that were fixed without
   * looking. Several looks take preset checkpoints (`combineCheckpoints`), and e-values of several
   * samples under one key are averaged, never multiplied.
   */
  readonly log10E: number;
}

/**
 * Tests texts for a mark, one after another.
 *
 * Null: the texts do not depend on the key. Then the scores of distinct pairs are independent draws
 * of the scheme's law over keys, and the signs of a biased list fair coins, whatever the texts are;
 * exact for an ideal pseudorandom function. Memory grows with the distinct pairs only.
 */
export class TextDetector {
  readonly #statistics: KeyStatistics;
  #texts = 0;

  constructor(watermark: TextWatermark) {
    this.#statistics = keyStatistics([watermark]);
  }

  fold(text: TokenText): void {
    this.#statistics.fold(text);
    this.#texts++;
  }

  detection(): TextDetection {
    const { scored, skipped, expected } = this.#statistics;
    const [{ total, mean, log10P, log10E }] = this.#statistics.statistics() as [KeyStatistic];
    return {
      texts: this.#texts,
      scored,
      skipped: { ...skipped },
      total,
      mean,
      expected,
      log10P,
      log10E,
    };
  }
}

/** Tests one text; see `TextDetector`. */
export function detectText(watermark: TextWatermark, text: TokenText): TextDetection {
  const detector = new TextDetector(watermark);
  detector.fold(text);
  return detector.detection();
}
