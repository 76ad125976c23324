import { log10NormalUpperTail } from '../../../stats/tails/normal.ts';
import type { SignedTokens } from '../schemes/biased-list.ts';
import { PairCollector, type TokenText } from '../token-pairs.ts';
import type { TextWatermark } from '../watermark.ts';
import { TokenCounts, trustIn } from './signed-counts.ts';

/**
 * Tokens of served output that are to be tested together: a draft is chosen for what it adds to
 * them, not for what it shows by itself, where common tokens weigh more. At 10,000,
 * 100 answers show 1.7 times the bans that they show by the weights of single answers.
 */
const testedTogether = 10_000;

/**
 * Returns log10 of the p-value that one draft has under the key, to compare it with others: the mean
 * of P(score > draft's) and P(score >= draft's), so that short drafts, whose scores are coarse, win
 * as often as long ones. For a biased list it is a normal approximation. To choose with, never to
 * report: `detectText` gives what counts.
 */
export function log10DraftP(watermark: TextWatermark, text: TokenText): number {
  const { scheme, rules } = watermark;
  if (scheme.signed) {
    const counts = new TokenCounts(scheme.signed, rules.vocabularySize);
    counts.fold(text);
    return log10SignedP(counts.deviations(), scheme.signed);
  }
  const { pairs } = new PairCollector(rules).collect(text);
  if (pairs.count === 0) return Math.log10(0.5);
  const scores = scheme.scores(pairs);
  const total = scores.reduce((sum, score) => sum + score, 0);
  const reached = scheme.law.log10UpperTail(total, pairs.count);
  if (scores.some((score) => !Number.isInteger(score))) return reached;
  const passed = scheme.law.log10UpperTail(total + 1, pairs.count);
  return reached + Math.log10((1 + 10 ** (passed - reached)) / 2);
}

function log10SignedP(deviations: Float64Array, { signs, expected }: SignedTokens): number {
  let [total, squares] = [0, 0];
  for (let index = 0; index < deviations.length; index++) {
    const weight = deviations[index]! * trustIn(expected[index]!, testedTogether);
    total += weight * signs[index]!;
    squares += weight ** 2;
  }
  return squares === 0 ? Math.log10(0.5) : log10NormalUpperTail(total / Math.sqrt(squares));
}
