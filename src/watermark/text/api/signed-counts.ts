import { signMixtureLog10E } from '../../../stats/sign-betting.ts';
import { log10WeightedSignUpperTail } from '../../../stats/tails/weighted-signs.ts';
import { RowSet } from '../row-set.ts';
import type { SignedTokens } from '../schemes/biased-list.ts';
import type { SkipCounts, TokenText } from '../token-pairs.ts';

/** What some texts say of one set of signs. */
export interface SignedSum {
  /** The sum of sign x weight. */
  readonly total: number;
  /** The sum of the weights' sizes: the most that the total can be. */
  readonly most: number;
  /** log10 P(a sum of as many fair signs with these weights >= total): exact. */
  readonly log10P: number;
  /** log10 of the e-value of the same sum, for one look. */
  readonly log10E: number;
}

/** Weights are whole numbers of this many units to one, so that their tail is exact. */
const unitsPerWeight = 16;
/**
 * How uncertain the expected shares are, squared: texts of another subject than the owner's sample
 * have some tokens twice or half as often, whatever the key.
 */
const shareVariance = 0.25;
const largestWeight = 4;

/**
 * Counts the tokens of a list over texts, and weighs each by how far it is from what is expected of
 * unmarked output. Nothing here depends on a key, so one count serves all of them; a text counts
 * once, however often it comes.
 */
export class TokenCounts {
  readonly #expected: Float64Array;
  readonly #indexOf: ReadonlyMap<number, number>;
  readonly #vocabularySize: number;
  readonly #counts: Float64Array;
  readonly #seen = new RowSet();
  readonly #skipped: Record<
    'prompt' | 'repeated text' | 'not listed' | 'token out of range',
    number
  >;
  #output = 0;
  #listed = 0;

  constructor({ tokens, expected }: Omit<SignedTokens, 'signs'>, vocabularySize: number) {
    this.#expected = expected;
    this.#indexOf = new Map(Array.from(tokens, (token, index) => [token, index]));
    this.#vocabularySize = vocabularySize;
    this.#counts = new Float64Array(tokens.length);
    this.#skipped = { prompt: 0, 'repeated text': 0, 'not listed': 0, 'token out of range': 0 };
  }

  fold({ tokens, promptLength }: TokenText): void {
    const first = Math.min(promptLength, tokens.length);
    const length = tokens.length - first;
    this.#skipped.prompt += first;
    if (length === 0) return;
    if (!this.#seen.add(tokens, first, length)) {
      this.#skipped['repeated text'] += length;
      return;
    }
    for (let position = first; position < tokens.length; position++) {
      const token = tokens[position]!;
      const index = this.#indexOf.get(token);
      if (!(token >= 0 && token < this.#vocabularySize)) this.#skipped['token out of range']++;
      else this.#output++;
      if (index !== undefined) {
        this.#counts[index]!++;
        this.#listed++;
      }
    }
    this.#skipped['not listed'] = this.#output - this.#listed;
  }

  /** Occurrences of tokens of the list. */
  get listed(): number {
    return this.#listed;
  }

  get skipped(): SkipCounts {
    return Object.fromEntries(Object.entries(this.#skipped).filter(([, count]) => count > 0));
  }

  /** Returns how many more occurrences of each token there are than expected. */
  deviations(): Float64Array {
    return this.#counts.map((count, index) => count - this.#expected[index]! * this.#output);
  }

  /**
   * Returns the weight of each token, in units: its deviation over what its variance would be in
   * units of a Poisson variable's, and at most 4 in size, so that no token that a text is about
   * outweighs the others.
   */
  weights(): Int32Array {
    return Int32Array.from(this.deviations(), (deviation, index) => {
      const weight = deviation * trustIn(this.#expected[index]!, this.#output);
      const cut = Math.max(-largestWeight, Math.min(largestWeight, weight));
      return Math.round(unitsPerWeight * cut);
    });
  }
}

/** How much an occurrence of a token counts in so many tokens of output: less the commoner it is. */
export function trustIn(expected: number, output: number): number {
  return 1 / (1 + shareVariance * expected * output);
}

/**
 * Tests whether weights lean towards the signs of a key.
 *
 * Null: the weights do not depend on the signs. All occurrences of a token share its sign, so this
 * is a sum of as many fair signs as there are tokens in the list, whatever the texts are: the tail
 * is exact. For one look at texts that were fixed without the signs; several looks are paid for by
 * preset checkpoints.
 */
export function sumSigned(weights: Int32Array, signs: Int8Array): SignedSum {
  let [total, most] = [0, 0];
  for (let index = 0; index < weights.length; index++) {
    total += weights[index]! * signs[index]!;
    most += Math.abs(weights[index]!);
  }
  return {
    total: total / unitsPerWeight,
    most: most / unitsPerWeight,
    log10P: log10WeightedSignUpperTail(weights, total).log10P,
    log10E: signMixtureLog10E(weights, signs),
  };
}
