import type { Evidence } from '../../contracts.ts';
import { checkpointWeights, combineCheckpoints } from '../../stats/checkpoints.ts';
import { type SignedSum, sumSigned, TokenCounts } from '../../watermark/text/api/signed-counts.ts';
import type { SignedTokens } from '../../watermark/text/schemes/biased-list.ts';
import type { TextMaterial } from '../text-material.ts';
import { SkipCounter } from './question-queue.ts';
import { textAssumptions } from './text-scores.ts';

const checkpoints = 4;

/**
 * Counts the tokens of a biased list in what a suspect wrote.
 *
 * All occurrences of a token share its sign, so there is no martingale: the e-value is computed at
 * four preset numbers of answers, missing ones included, with weights that sum to one, and the signs
 * are not looked at in between. The p-value is of the whole sample. The key is an epoch's, never public.
 */
export class TextSigns {
  readonly #material: TextMaterial;
  readonly #signs: Int8Array;
  readonly #counts: TokenCounts;
  readonly #skipped = new SkipCounter();
  readonly #horizon: number;
  readonly #weights = checkpointWeights(checkpoints);
  readonly #reached: SignedSum[] = [];
  #answers = 0;

  /** @param horizon the number of answers that are asked for */
  constructor(material: TextMaterial, signed: SignedTokens, horizon: number) {
    this.#material = material;
    this.#signs = signed.signs;
    this.#counts = new TokenCounts(signed, material.watermark.rules.vocabularySize);
    this.#horizon = horizon;
  }

  fold(_given: Int32Array, written: ArrayLike<number>): void {
    this.#counts.fold({ tokens: Int32Array.from(written), promptLength: 0 });
    this.#count();
  }

  skip(reason: string): void {
    this.#skipped.add(reason);
    this.#count();
  }

  #count(): void {
    this.#answers++;
    while (this.#reached.length < checkpoints && this.#answers === this.#nextCheckpoint()) {
      this.#reached.push(sumSigned(this.#counts.weights(), this.#signs));
    }
  }

  /** With fewer answers than checkpoints, one answer is the place of several. */
  #nextCheckpoint(): number {
    return Math.ceil(((this.#reached.length + 1) * this.#horizon) / checkpoints);
  }

  evidence(
    test: string,
    queue: { readonly done: boolean; readonly folded: number; readonly total: number },
  ): Evidence {
    const log10Es = this.#reached.map(({ log10E }) => log10E);
    const bans = log10Es.length === 0 ? 0 : combineCheckpoints(log10Es, this.#weights);
    const final = this.#reached[checkpoints - 1];
    return {
      test,
      null: 'keyed',
      status: queue.total === 0 ? 'not-applicable' : queue.done ? 'done' : 'partial',
      log10E: bans,
      ...(final && { log10P: final.log10P }),
      probes: queue.folded,
      skipped: { ...this.#counts.skipped, ...this.#skipped.counts },
      effect: {
        listed: this.#counts.listed,
        ...(final && final.most > 0 && { mean: final.total / final.most, expected: 0 }),
      },
      keyMaterial: [this.#material.keyMaterial],
      assumptions: textAssumptions(this.#material.watermark),
    };
  }
}
