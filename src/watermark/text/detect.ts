import { TiltBetting } from '../../stats/tilt-betting.ts';
import { PairCollector, type SkipReason, type TokenText } from './token-pairs.ts';
import type { TextWatermark } from './watermark.ts';

/** What a set of texts says of one key. */
export interface TextDetection {
  readonly texts: number;
  /** Distinct (context, token) pairs that were scored. */
  readonly scored: number;
  /** Tokens that were not, by reason. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  readonly total: number;
  /** Mean score of a pair, and what it is expected to be without the mark. */
  readonly mean: number;
  readonly expected: number;
  /** log10 of the exact p-value of the texts as one fixed sample. */
  readonly log10P: number;
  /** log10 of the e-value in the texts' order; valid whenever one stops reading. */
  readonly log10E: number;
}

/**
 * Tests texts for a mark, one after another.
 *
 * Null: the texts do not depend on the key. Then the scores of distinct pairs are independent draws
 * of the scheme's law over keys, whatever the texts are; exact for an ideal pseudorandom function.
 * Memory grows with the distinct pairs only.
 */
export class TextDetector {
  readonly #watermark: TextWatermark;
  readonly #collector: PairCollector;
  readonly #betting: TiltBetting;
  readonly #skipped: Partial<Record<SkipReason, number>> = {};
  #texts = 0;

  constructor(watermark: TextWatermark) {
    this.#watermark = watermark;
    this.#collector = new PairCollector(watermark.rules);
    this.#betting = new TiltBetting(watermark.scheme.law.tilts);
  }

  fold(text: TokenText): void {
    const { pairs, skipped } = this.#collector.collect(text);
    this.#betting.fold(this.#watermark.scheme.scores(pairs));
    this.#texts++;
    for (const reason of Object.keys(skipped) as SkipReason[]) {
      this.#skipped[reason] = (this.#skipped[reason] ?? 0) + skipped[reason]!;
    }
  }

  detection(): TextDetection {
    const { law } = this.#watermark.scheme;
    const { total, count, log10E } = this.#betting;
    return {
      texts: this.#texts,
      scored: count,
      skipped: { ...this.#skipped },
      total,
      mean: count === 0 ? 0 : total / count,
      expected: law.mean,
      log10P: count === 0 ? 0 : law.log10UpperTail(total, count),
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
