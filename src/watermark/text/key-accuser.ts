import { TouchmarkError } from '../../errors.ts';
import { log10WeightedMean } from '../../stats/merging.ts';
import { TiltBetting } from '../../stats/tilt-betting.ts';
import { PairCollector, type SkipCounts, type SkipReason, type TokenText } from './token-pairs.ts';
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
  readonly #collector: PairCollector;
  readonly #cases: readonly { readonly watermark: TextWatermark; readonly betting: TiltBetting }[];
  readonly #skipped: SkipCounts = {};
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
    this.#collector = new PairCollector(first.rules);
    this.#cases = watermarks.map((watermark) => ({
      watermark,
      betting: new TiltBetting(watermark.scheme.law.tilts),
    }));
  }

  fold(text: TokenText): void {
    const { pairs, skipped } = this.#collector.collect(text);
    for (const { watermark, betting } of this.#cases) betting.fold(watermark.scheme.scores(pairs));
    for (const reason of Object.keys(skipped) as SkipReason[]) {
      this.#skipped[reason] = (this.#skipped[reason] ?? 0) + skipped[reason]!;
    }
    this.#texts++;
  }

  /** Distinct pairs that were scored. */
  get scored(): number {
    return this.#cases[0]!.betting.count;
  }

  accusations(): KeyAccusations {
    const keys = this.#cases.length;
    const accusations = this.#cases.map(({ watermark, betting }) => {
      const { total, count, log10E } = betting;
      const log10P = count === 0 ? 0 : watermark.scheme.law.log10UpperTail(total, count);
      return {
        mean: count === 0 ? 0 : total / count,
        log10P,
        log10E,
        log10PAdjusted: Math.min(0, log10P + Math.log10(keys)),
        log10EAdjusted: log10E - Math.log10(keys),
      };
    });
    const log10Es = accusations.map(({ log10E }) => log10E);
    return {
      texts: this.#texts,
      scored: this.scored,
      skipped: { ...this.#skipped },
      expected: this.#cases[0]!.watermark.scheme.law.mean,
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
