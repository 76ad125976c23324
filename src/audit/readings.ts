import type { ContextRule, EffectiveInputs, TextPrf } from '../watermark/text/prfs/prf.ts';
import { RowSet } from '../watermark/text/row-set.ts';
import { readContext, type TokenText } from '../watermark/text/token-pairs.ts';

/**
 * Returns the tokens before the first occurrence of each marked context in the served texts, in
 * served order: places where a suspect that learned from the log shows the mark.
 *
 * A context counts where what the function reads of it first occurs, in any prompt or output, because
 * everything before that place was written before the key was ever used on it. Which tokens were
 * served after it is not looked at. So what the tokens hold is independent of the key's choice after
 * their context, and stays so whatever was asked, even if the suspect copies from them; contexts of
 * texts that are missing from the log are not covered. A function that also reads the marked token
 * has no such places.
 *
 * @param texts all served texts of the epoch, in served order
 * @param before tokens kept before each place, at least the context's width
 * @param most readings returned
 */
export function firstOccurrencesOfContexts(
  texts: readonly TokenText[],
  prf: Pick<TextPrf, 'context' | 'effectiveInputs' | 'inputHoldsToken'>,
  before: number,
  most: number,
): Int32Array[] {
  if (prf.inputHoldsToken === true) return [];
  const { width, reads } = prf.context;
  const seen = new RowSet();
  const readings: Int32Array[] = [];
  for (const text of texts) {
    const { contexts, positions } = contextsOf(text, prf.context);
    const inputs = inputsOf(prf, contexts, positions.length);
    const first = reads === 'output' ? text.promptLength : 0;
    for (const [row, position] of positions.entries()) {
      const isFirst = seen.add(inputs.rows, row * inputs.width, inputs.width);
      const isWhole = position >= text.promptLength && position - first >= width;
      if (!isFirst || !isWhole) continue;
      readings.push(text.tokens.slice(Math.max(0, position - before), position));
      if (readings.length === most) return readings;
    }
  }
  return readings;
}

/** The context of every position of prompt and output that has one. */
function contextsOf(
  { tokens, promptLength }: TokenText,
  rule: ContextRule,
): { readonly contexts: Int32Array; readonly positions: readonly number[] } {
  const contexts = new Int32Array((tokens.length + 1) * rule.width);
  const positions: number[] = [];
  for (let position = 0; position < tokens.length; position++) {
    const text = { tokens, promptLength: position < promptLength ? 0 : promptLength };
    if (readContext(rule, text, position, contexts, positions.length * rule.width)) {
      positions.push(position);
    }
  }
  return { contexts: contexts.subarray(0, positions.length * rule.width), positions };
}

function inputsOf(
  prf: Pick<TextPrf, 'context' | 'effectiveInputs'>,
  contexts: Int32Array,
  count: number,
): Pick<EffectiveInputs, 'width' | 'rows'> {
  const { width } = prf.context;
  const pairs = { count, width, contexts, tokens: new Int32Array(count) };
  return prf.effectiveInputs?.(pairs) ?? { width, rows: contexts };
}
