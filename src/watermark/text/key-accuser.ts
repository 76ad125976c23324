import { TouchmarkError } from '../../errors.ts';
import { log10WeightedMean } from '../../stats/merging.ts';
import { type KeyStatistics, keyStatistics } from './key-statistics.ts';
import type { SkipCounts, TokenText } from './token-pairs.ts';
import type { TextWatermark } from './watermark.ts';

/** The case against one of many keys. */
export interface KeyAccusation {
  readonly mean: number;
  readonly log10P: number;
  readonly log10E: number;
  /** After multiplicity over all keys: log10P + log10 of their number, at most 0. */
  readonly log10PAdjusted: number;
  /** After multiplicity over all keys: log10E - log10 of their number. */
  readonly log10EAdjusted: number;
}

/** The cases against all keys. */
export interface KeyAccusations {
  readonly texts: number;
  readonly scored: number;
  readonly skipped: SkipCounts;
  /** The expected score of a pair without the mark. */
  readonly expected: number;
  /** In the order of the keys. */
  readonly accusations: readonly KeyAccusation[];
  /** That the mark of some key is there: the mean of the e-values, and the least adjusted p. */
  readonly someKey: { readonly log10P: number; readonly log10E: number };
}

/**
 * Tests texts for each of many independent keys of one profile, reading the texts once.
 *
 * Null of a key: the texts do not depend on it, whatever other keys are in them; exact for an ideal
 * pseudorandom function. The keys are chosen before the texts are scored.
 */
export class KeyAccuser {
  readonly #statistics: KeyStatistics;
  #texts = 0;

  /**
   * @param watermarks one for each key, all of the same profile
   * @throws TouchmarkError INPUT_INVALID without any, or for several profiles
   */
  constructor(watermarks: readonly TextWatermark[]) {
    const [first] = watermarks;
    if (first === undefined || watermarks.some(({ profile }) => profile !== first.profile)) {
      throw new TouchmarkError('INPUT_INVALID', 'Keys to accuse must be of one profile.', {
        hint: 'Open every key, at least one, with the profile that the texts were marked under.',
      });
    }
    this.#statistics = keyStatistics(watermarks);
  }

  fold(text: TokenText): void {
    this.#statistics.fold(text);
    this.#texts++;
  }

  /** Distinct pairs that were scored; for a biased list, occurrences of its tokens. */
  get scored(): number {
    return this.#statistics.scored;
  }

  accusations(): KeyAccusations {
    const { scored, skipped, expected } = this.#statistics;
    const statistics = this.#statistics.statistics();
    const keys = statistics.length;
    const accusations = statistics.map(({ mean, log10P, log10E }) => ({
      mean,
      log10P,
      log10E,
      log10PAdjusted: Math.min(0, log10P + Math.log10(keys)),
      log10EAdjusted: log10E - Math.log10(keys),
    }));
    const log10Es = accusations.map(({ log10E }) => log10E);
    return {
      texts: this.#texts,
      scored,
      skipped: { ...skipped },
      expected,
      accusations,
      someKey: {
        log10P: Math.min(...accusations.map(({ log10PAdjusted }) => log10PAdjusted)),
        log10E: log10WeightedMean(
          log10Es,
          log10Es.map(() => 1 / keys),
        ),
      },
    };
  }
}
