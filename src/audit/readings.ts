import type { ContextRule } from '../watermark/text/prfs/prf.ts';
import { RowSet } from '../watermark/text/row-set.ts';
import { readContext, type TokenText } from '../watermark/text/token-pairs.ts';

/**
 * Returns the tokens before the first occurrence of each marked context in the served texts, in
 * served order: places where a suspect that learned from the log shows the mark.
 *
 * A context counts where it first occurs, in any prompt or output, because everything before that
 * place was written before the key was ever used on the context. Which tokens were served after it
 * is not looked at. So what the tokens hold is independent of the key's choice after their context,
 * and stays so whatever was asked; contexts of texts that are missing from the log are not covered.
 *
 * @param texts all served texts of the epoch, in served order
 * @param before tokens kept before each place, at least the rule's width
 * @param most readings returned
 */
export function firstOccurrencesOfContexts(
  texts: readonly TokenText[],
  rule: ContextRule,
  before: number,
  most: number,
): Int32Array[] {
  const seen = new RowSet();
  const context = new Int32Array(rule.width);
  const readings: Int32Array[] = [];
  for (const text of texts) {
    for (let position = 0; position < text.tokens.length; position++) {
      const isOutput = position >= text.promptLength;
      const read = isOutput ? text : { tokens: text.tokens, promptLength: 0 };
      if (!readContext(rule, read, position, context, 0)) continue;
      const isFirst = seen.add(context, 0, rule.width);
      const first = rule.reads === 'output' ? text.promptLength : 0;
      if (!isFirst || !isOutput || position - first < rule.width) continue;
      readings.push(text.tokens.slice(Math.max(0, position - before), position));
      if (readings.length === most) return readings;
    }
  }
  return readings;
}
