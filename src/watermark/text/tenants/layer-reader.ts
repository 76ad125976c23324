import type { TokenPairs } from '../prfs/prf.ts';
import type { TextProfile } from '../profile.ts';
import {
  PairCollector,
  type SkipCounts,
  type SkipReason,
  selectPairs,
  type TokenText,
} from '../token-pairs.ts';
import { pairRules } from '../watermark.ts';
import type { CommonKey } from './common-key.ts';
import type { Layer } from './layers.ts';

/** What was read of one layer. */
export interface LayerCounts {
  readonly texts: number;
  /** Distinct (context, token) pairs of the layer. */
  readonly scored: number;
  /** Tokens that did not count, by reason; those of other layers among them. */
  readonly skipped: SkipCounts;
}

/** Collects the distinct pairs of texts whose contexts belong to one layer. */
export class LayerReader {
  readonly #collector: PairCollector;
  readonly #common: CommonKey;
  readonly #layer: Layer;
  readonly #skipped: SkipCounts = {};
  #texts = 0;
  #scored = 0;

  constructor(profile: TextProfile, common: CommonKey, layer: Layer) {
    this.#collector = new PairCollector(pairRules(profile, common.prf));
    this.#common = common;
    this.#layer = layer;
  }

  read(text: TokenText): TokenPairs {
    const { pairs, skipped } = this.#collector.collect(text);
    const rows = this.#common.layers.rows(pairs)[this.#layer];
    for (const reason of Object.keys(skipped) as SkipReason[]) this.#skip(reason, skipped[reason]!);
    this.#skip('other layer', pairs.count - rows.length);
    this.#texts++;
    this.#scored += rows.length;
    return rows.length === pairs.count ? pairs : selectPairs(pairs, rows);
  }

  get counts(): LayerCounts {
    return { texts: this.#texts, scored: this.#scored, skipped: { ...this.#skipped } };
  }

  #skip(reason: SkipReason, count: number): void {
    if (count > 0) this.#skipped[reason] = (this.#skipped[reason] ?? 0) + count;
  }
}
