import type { Evidence } from '../../contracts.ts';
import { TiltBetting } from '../../stats/tilt-betting.ts';
import type { ContextRule } from '../../watermark/text/prfs/prf.ts';
import { PairCollector } from '../../watermark/text/token-pairs.ts';
import type { TextWatermark } from '../../watermark/text/watermark.ts';
import type { TextMaterial } from '../text-material.ts';
import { SkipCounter } from './question-queue.ts';

/** A reading ends in its context, whatever the stack's rule for the beginning of texts is. */
const wholeContext = (width: number): ContextRule => ({ width, reads: 'sequence' });

/** What evidence under a watermark's key takes for granted. */
export function textAssumptions({ prf }: TextWatermark): readonly string[] {
  if (prf.name === 'native') return [];
  return [`${prf.name} behaves as an ideal pseudorandom function`];
}

/** Scores what a suspect wrote after what it was given, pair by distinct pair. */
export class TextScores {
  readonly #material: TextMaterial;
  readonly #collector: PairCollector;
  readonly #betting: TiltBetting;
  readonly #skipped = new SkipCounter();
  readonly #horizon: number;
  #answers = 0;
  #log10P: number | undefined;

  /**
   * @param horizon the number of answers, missing ones included, at which the p-value is taken
   * @param what `continuations` of prompts, whose own contexts do not count; or `answers` to
   * readings, each of which ends in the context that is read, for the first time
   */
  constructor(material: TextMaterial, horizon: number, what: 'continuations' | 'answers') {
    const { rules, scheme } = material.watermark;
    this.#material = material;
    this.#horizon = horizon;
    this.#collector = new PairCollector(
      what === 'continuations'
        ? { ...rules, repeats: 'mark', skipPromptContexts: true }
        : { ...rules, repeats: 'mark', context: wholeContext(rules.context.width) },
    );
    this.#betting = new TiltBetting(scheme.law.tilts);
  }

  fold(given: Int32Array, written: ArrayLike<number>): void {
    const tokens = new Int32Array(given.length + written.length);
    tokens.set(given);
    tokens.set(written, given.length);
    const { pairs, skipped } = this.#collector.collect({ tokens, promptLength: given.length });
    this.#betting.fold(this.#material.watermark.scheme.scores(pairs));
    for (const [reason, count] of Object.entries(skipped)) {
      if (reason !== 'prompt') this.#skipped.add(reason, count);
    }
    this.#count();
  }

  skip(reason: string): void {
    this.#skipped.add(reason);
    this.#count();
  }

  #count(): void {
    if (++this.#answers !== this.#horizon) return;
    const { total, count } = this.#betting;
    if (count > 0) {
      this.#log10P = this.#material.watermark.scheme.law.log10UpperTail(total, count);
    }
  }

  evidence(
    test: string,
    queue: { readonly done: boolean; readonly folded: number; readonly total: number },
  ): Evidence {
    const { scheme, keyIsPublic } = this.#material.watermark;
    const { total, count, log10E } = this.#betting;
    const { done, folded } = queue;
    return {
      test,
      null: keyIsPublic ? 'descriptive' : 'keyed',
      status: queue.total === 0 ? 'not-applicable' : done ? 'done' : 'partial',
      log10E: keyIsPublic ? 0 : log10E,
      ...(this.#log10P !== undefined && { log10P: this.#log10P }),
      probes: folded,
      skipped: this.#skipped.counts,
      effect: {
        pairs: count,
        ...(count > 0 && { mean: total / count, expected: scheme.law.mean }),
        ...(keyIsPublic && { bans: log10E }),
      },
      keyMaterial: [this.#material.keyMaterial],
      assumptions: textAssumptions(this.#material.watermark),
    };
  }
}
