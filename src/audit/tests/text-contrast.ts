import type {
  Evidence,
  Observation,
  Probe,
  ProvenanceTest,
  TestRun,
  TokenDistribution,
} from '../../contracts.ts';
import { denseDistribution } from '../../models/language/next-token-model.ts';
import {
  type Draw,
  log10WeightedBernoulliTailBound,
} from '../../stats/tails/weighted-bernoulli.ts';
import { WeightedBernoulliBetting } from '../../stats/weighted-bernoulli-betting.ts';
import type { TextPrf, TokenPairs } from '../../watermark/text/prfs/prf.ts';
import type { TextMaterial } from '../text-material.ts';
import { QuestionQueue, SkipCounter } from './question-queue.ts';
import { textAssumptions } from './text-scores.ts';

/** Weights below this are left out: they are many and hold next to nothing. */
const leastWeight = 1e-4;

/** With fewer tokens of context, contexts of different keys' texts are too alike to be trusted. */
const leastWidth = 2;

/**
 * Compares the suspect's next-token probabilities, at the readings of the log, with those of a
 * reference model that learned from no text of ours: a suspect that did moves towards the green
 * tokens. It sees marks in a few per cent of the training data, which a likeliest token hides.
 *
 * Null: the suspect and the reference model are independent of the key. The weight of a token is the
 * difference of the two probabilities, fixed before its colour is looked up; readings are first
 * occurrences, as in `text-reading`. Then the sum of weight x (green - gamma) has the tail bound and
 * the e-process of weighted Bernoulli variables, drawn in the way that the function makes its lists.
 * Green lists only.
 */
export const textContrast: ProvenanceTest<TextMaterial, 'score', 'token-probabilities'> = {
  name: 'text-contrast',
  null: 'keyed',
  needs: ['token-probabilities'],
  start: (material) => new TextContrastRun(material),
};

class TextContrastRun implements TestRun<'score'> {
  readonly #material: TextMaterial;
  readonly #draw: Draw;
  readonly #queue: QuestionQueue<{ readonly probe: Probe<'score'> }, 'score'>;
  readonly #betting: WeightedBernoulliBetting;
  /** Of the readings before the horizon. */
  readonly #weights: number[] = [];
  readonly #skipped = new SkipCounter();
  #answers = 0;
  #total = 0;
  #log10P: number | undefined;

  constructor(material: TextMaterial) {
    const { scheme, prf } = material.watermark;
    this.#material = material;
    this.#draw = scheme.green?.fixedSize === true ? 'fixed-size' : 'independent';
    this.#betting = new WeightedBernoulliBetting(scheme.green?.share ?? 0.5, this.#draw);
    const applies =
      scheme.green !== undefined &&
      material.reference !== undefined &&
      tokensRead(prf) >= leastWidth;
    this.#queue = new QuestionQueue(applies ? material.readings.map(questionOf) : []);
  }

  next(): readonly Probe<'score'>[] {
    return this.#queue.next();
  }

  fold(observations: readonly Observation<'score'>[]): void {
    for (const [{ probe }, observation] of this.#queue.take(observations)) {
      if ('answer' in observation) this.#foldOne(probe.input, observation.answer);
      else this.#skipped.add(observation.missing);
      if (++this.#answers === this.#material.horizon) this.#takeP();
    }
  }

  #takeP(): void {
    if (this.#weights.length === 0) return;
    const { share } = this.#material.watermark.scheme.green!;
    const weights = Float64Array.from(this.#weights);
    this.#log10P = log10WeightedBernoulliTailBound(weights, share, this.#total, this.#draw);
  }

  #foldOne(before: Int32Array, answer: TokenDistribution): void {
    const { scheme, prf } = this.#material.watermark;
    const green = scheme.green!;
    const reference = denseDistribution(this.#material.reference!, before);
    const { tokens, weights } = contrastOf(answer, reference);
    const colours = green.bits(pairsAfter(before, prf.context.width, tokens));
    this.#betting.fold(weights, colours);
    for (let index = 0; index < weights.length; index++) {
      if (this.#answers < this.#material.horizon) this.#weights.push(weights[index]!);
      this.#total += weights[index]! * (colours[index]! - green.share);
    }
  }

  evidence(): Evidence {
    const { keyIsPublic } = this.#material.watermark;
    const { done, folded, total } = this.#queue;
    const { log10E } = this.#betting;
    return {
      test: textContrast.name,
      null: keyIsPublic ? 'descriptive' : 'keyed',
      status: total === 0 ? 'not-applicable' : done ? 'done' : 'partial',
      log10E: keyIsPublic ? 0 : log10E,
      ...(this.#log10P !== undefined && { log10P: this.#log10P }),
      probes: folded,
      skipped: this.#skipped.counts,
      effect: {
        ...(folded > 0 && { shift: this.#total / folded }),
        ...(keyIsPublic && { bans: log10E }),
      },
      keyMaterial: [this.#material.keyMaterial],
      assumptions: textAssumptions(this.#material.watermark),
    };
  }
}

function questionOf(tokens: Int32Array, index: number): { readonly probe: Probe<'score'> } {
  return { probe: { id: `contrast/${index}`, task: 'score', input: tokens, repeat: 0 } };
}

/** Tokens of a context that the function makes a difference of. */
function tokensRead(prf: TextPrf): number {
  const { width } = prf.context;
  const none = { count: 0, width, contexts: new Int32Array(0), tokens: new Int32Array(0) };
  return prf.effectiveInputs?.(none).width ?? width;
}

function pairsAfter(before: Int32Array, width: number, tokens: Int32Array): TokenPairs {
  const context = before.subarray(before.length - width);
  const contexts = new Int32Array(tokens.length * width);
  for (let row = 0; row < tokens.length; row++) contexts.set(context, row * width);
  return { count: tokens.length, width, contexts, tokens };
}

/** The tokens that the suspect listed, each once, and suspect minus reference probability. */
function contrastOf(
  answer: TokenDistribution,
  reference: Float32Array,
): { readonly tokens: Int32Array; readonly weights: Float64Array } {
  const weightOf = new Map<number, number>();
  for (let index = 0; index < answer.tokens.length; index++) {
    const token = answer.tokens[index]!;
    const weight = Math.exp(answer.logProbabilities[index]!) - (reference[token] ?? NaN);
    if (Math.abs(weight) >= leastWeight && Math.abs(weight) <= 1) weightOf.set(token, weight);
  }
  return {
    tokens: Int32Array.from(weightOf.keys()),
    weights: Float64Array.from(weightOf.values()),
  };
}
