import type { TextProfile } from '../profile.ts';
import type { TokenText } from '../token-pairs.ts';
import { type CommonKey, openCommonKey } from './common-key.ts';
import { type LayerCounts, LayerReader } from './layer-reader.ts';
import { type LayerScore, ScoreTally } from './score-tally.ts';

/** What texts say of an epoch, whoever its tenants are. */
export type CommonDetection = LayerCounts & LayerScore;

/**
 * Tests texts for what all tenants of an epoch share: the contexts of the common layer, which carry
 * the base bits without any code and add up over all accounts. (Coded contexts do not add up: the
 * marks of two tenants differ in half of the draws.)
 *
 * Null: the texts do not depend on the common key; then green pairs are Binomial(n, 1/2).
 */
export class CommonDetector {
  readonly #common: CommonKey;
  readonly #reader: LayerReader;
  readonly #tally = new ScoreTally();

  /** @throws TouchmarkError CONFIG_INVALID when the profile has no common layer */
  constructor(profile: TextProfile, commonKey: Uint8Array) {
    this.#common = openCommonKey(profile, commonKey, 'common');
    this.#reader = new LayerReader(profile, this.#common, 'common');
  }

  fold(text: TokenText): void {
    this.#tally.fold(this.#common.green.bits(this.#reader.read(text)));
  }

  /** What was read so far; costs nothing, unlike the judgement. */
  get counts(): LayerCounts {
    return this.#reader.counts;
  }

  detection(): CommonDetection {
    return { ...this.#reader.counts, ...this.#tally.score };
  }
}
