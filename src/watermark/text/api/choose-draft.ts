import type { Tokenizer } from '../../../contracts.ts';
import { TouchmarkError } from '../../../errors.ts';
import { LN10 } from '../../../stats/log-space.ts';
import type { TokenText } from '../token-pairs.ts';
import type { TextWatermark } from '../watermark.ts';
import { log10DraftP } from './draft-score.ts';

/** One of several answers that the model gave to one request. */
export type Draft = { readonly tokens: ArrayLike<number> } | { readonly text: string };

/** Which draft is to be served. */
export interface DraftChoice {
  readonly index: number;
  /** -log10 of each draft's p-value under the key, in the drafts' order: larger is more marked. */
  readonly scores: readonly number[];
}

/** What drafts are read with. */
export interface DraftReading {
  /** Turns texts into tokens; needed for drafts that are texts. */
  readonly tokenizer?: Pick<Tokenizer, 'encode'>;
  /** What comes before the drafts, where detection will know it too; none otherwise. */
  readonly promptTokens?: ArrayLike<number>;
}

/**
 * Chooses among drafts of one answer the one that the key scores highest.
 *
 * Every draft gets the p-value of its own text, whatever its length. A text that came k times wins
 * with k times the chance of one that came once (an exponential race of rate k), and among equals the
 * first wins. So over keys the choice is a fair one of the drafts, and the served answer a draw from
 * the model: exactly where the p-values are continuous and different drafts share no scored pair.
 * Under one key an answer comes at most m times as often as from the model, where m is the number of
 * drafts: the total variation is at most 1 - 1 / m, and m^(-1 / (m - 1)) (m - 1) / m where the score
 * has no atoms (.25, .47, .65 for m = 2, 4, 8).
 *
 * @param drafts at least one, drawn independently in the same way, in the order in which they came
 * @throws TouchmarkError INPUT_INVALID without drafts, and for texts without a tokenizer
 */
export function chooseDraft(
  watermark: TextWatermark,
  drafts: readonly Draft[],
  reading: DraftReading = {},
): DraftChoice {
  if (drafts.length === 0) {
    throw new TouchmarkError('INPUT_INVALID', 'There is no draft to choose from.', {
      hint: 'Ask for at least one draft.',
    });
  }
  const texts = drafts.map((draft) => tokenText(draft, reading));
  const copies = new Map<string, number>();
  const names = texts.map(({ tokens }) => tokens.join());
  for (const name of names) copies.set(name, (copies.get(name) ?? 0) + 1);
  const log10Ps = texts.map((text) => log10DraftP(watermark, text));
  let [index, best] = [0, -Infinity];
  for (const [at, log10P] of log10Ps.entries()) {
    const race = logNotBelow(log10P) + Math.log(copies.get(names[at]!)!);
    if (race > best) [index, best] = [at, race];
  }
  return { index, scores: log10Ps.map((log10P) => -log10P + 0) };
}

/** -log of the arrival of a runner of rate 1: -log(-log(1 - p)), the Gumbel number of 1 - p. */
function logNotBelow(log10P: number): number {
  if (log10P >= 0) return -Infinity;
  if (log10P < -12) return -log10P * LN10;
  return -Math.log(-Math.log1p(-(10 ** log10P)));
}

function tokenText(draft: Draft, { tokenizer, promptTokens = [] }: DraftReading): TokenText {
  const output = 'tokens' in draft ? draft.tokens : tokenizer?.encode(draft.text);
  if (output === undefined) {
    throw new TouchmarkError('INPUT_INVALID', 'A draft is a text, and no tokenizer is at hand.', {
      hint: "Give the profile's tokenizer, or drafts as token ids.",
    });
  }
  const tokens = new Int32Array(promptTokens.length + output.length);
  tokens.set(promptTokens);
  tokens.set(output, promptTokens.length);
  return { tokens, promptLength: promptTokens.length };
}
