import { log10NormalUpperTail } from '../../../stats/tails/normal.ts';
import { PairCollector, type TokenText } from '../token-pairs.ts';
import type { TextWatermark } from '../watermark.ts';
import { TokenCounts } from './signed-counts.ts';

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
    return log10SignedP(counts.weights(), scheme.signed.signs);
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

function log10SignedP(weights: Int32Array, signs: Int8Array): number {
  let [total, squares] = [0, 0];
  for (let index = 0; index < weights.length; index++) {
    total += weights[index]! * signs[index]!;
    squares += weights[index]! ** 2;
  }
  return squares === 0 ? Math.log10(0.5) : log10NormalUpperTail(total / Math.sqrt(squares));
}
