import { TiltBetting } from '../../stats/tilt-betting.ts';
import { sumSigned, TokenCounts } from './api/signed-counts.ts';
import type { SignedTokens } from './schemes/biased-list.ts';
import { PairCollector, type SkipCounts, type SkipReason, type TokenText } from './token-pairs.ts';
import type { TextWatermark } from './watermark.ts';

/** What texts say of one key. */
export interface KeyStatistic {
  readonly total: number;
  readonly mean: number;
  readonly log10P: number;
  readonly log10E: number;
}

/** Texts that are read once for several keys of one profile. */
export interface KeyStatistics {
  /** What the mean is expected to be without the mark. */
  readonly expected: number;
  /** What was scored, and what was not, by reason: the same for every key. */
  readonly scored: number;
  readonly skipped: SkipCounts;
  fold(text: TokenText): void;
  /** Returns what the texts say of each key, in the order of the keys. */
  statistics(): readonly KeyStatistic[];
}

/** Returns the statistic that the profile of some marks is tested by. There is one at least. */
export function keyStatistics(watermarks: readonly TextWatermark[]): KeyStatistics {
  const signed = watermarks.flatMap(({ scheme }) => scheme.signed ?? []);
  return signed.length > 0
    ? new SignStatistics(signed, watermarks[0]!.rules.vocabularySize)
    : new PairStatistics(watermarks);
}

/** Distinct pairs, each a fresh draw. */
class PairStatistics implements KeyStatistics {
  readonly skipped: SkipCounts = {};
  readonly #collector: PairCollector;
  readonly #cases: readonly { readonly watermark: TextWatermark; readonly betting: TiltBetting }[];

  constructor(watermarks: readonly TextWatermark[]) {
    this.#collector = new PairCollector(watermarks[0]!.rules);
    this.#cases = watermarks.map((watermark) => ({
      watermark,
      betting: new TiltBetting(watermark.scheme.law.tilts),
    }));
  }

  get expected(): number {
    return this.#cases[0]!.watermark.scheme.law.mean;
  }

  get scored(): number {
    return this.#cases[0]!.betting.count;
  }

  fold(text: TokenText): void {
    const { pairs, skipped } = this.#collector.collect(text);
    for (const { watermark, betting } of this.#cases) betting.fold(watermark.scheme.scores(pairs));
    for (const reason of Object.keys(skipped) as SkipReason[]) {
      this.skipped[reason] = (this.skipped[reason] ?? 0) + skipped[reason]!;
    }
  }

  statistics(): KeyStatistic[] {
    return this.#cases.map(({ watermark, betting }) => {
      const { total, count, log10E } = betting;
      if (count === 0) return { total, mean: 0, log10P: 0, log10E };
      const log10P = watermark.scheme.law.log10UpperTail(total, count);
      return { total, mean: total / count, log10P, log10E };
    });
  }
}

/** Counts of listed tokens, whose occurrences share their signs. */
class SignStatistics implements KeyStatistics {
  readonly expected = 0;
  readonly #counts: TokenCounts;
  readonly #signed: readonly SignedTokens[];

  constructor(signed: readonly SignedTokens[], vocabularySize: number) {
    this.#counts = new TokenCounts(signed[0]!, vocabularySize);
    this.#signed = signed;
  }

  get scored(): number {
    return this.#counts.listed;
  }

  get skipped(): SkipCounts {
    return this.#counts.skipped;
  }

  fold(text: TokenText): void {
    this.#counts.fold(text);
  }

  statistics(): KeyStatistic[] {
    const weights = this.#counts.weights();
    return this.#signed.map(({ signs }) => {
      const { total, most, log10P, log10E } = sumSigned(weights, signs);
      return { total, mean: most === 0 ? 0 : total / most, log10P, log10E };
    });
  }
}
