import { ContextHistory } from './context-history.ts';
import type { ContextRule, EffectiveInputs, TextPrf, TokenPairs } from './prfs/prf.ts';
import { RowSet } from './row-set.ts';

/** Token ids of one text; those before `promptLength` were given, not generated. */
export interface TokenText {
  readonly tokens: Int32Array;
  readonly promptLength: number;
}

/**
 * Which occurrences of a context within one generation are marked: all (`mark`), or only those that
 * are the first in this turn's output (`turn`) or in prompt and output (`all`).
 */
export type Repeats = 'mark' | 'turn' | 'all';

/** Why positions of a text did not count. */
export type SkipReason =
  | 'prompt'
  | 'context too short'
  | 'token out of range'
  | 'repeated context'
  | 'repeated pair'
  | 'context in prompt'
  | 'other layer'
  | 'not listed'
  | 'repeated text';

export type SkipCounts = Partial<Record<SkipReason, number>>;

export interface PairRules {
  readonly context: ContextRule;
  readonly repeats: Repeats;
  /** Token ids are in [0, vocabularySize). */
  readonly vocabularySize: number;
  readonly effectiveInputs?: TextPrf['effectiveInputs'];
  /** Contexts that the prompt contains do not count: what follows them may be copied from it. */
  readonly skipPromptContexts?: boolean;
}

/**
 * Collects the (context, token) pairs of texts that a pseudorandom function draws afresh: each pair
 * counts once over all texts, on what the function really reads, since a repeated pair repeats its
 * score and not its evidence (Fernandez et al. 2023, "Three bricks", section 3.2).
 */
export class PairCollector {
  readonly #rules: PairRules;
  readonly #seen = new RowSet();
  readonly #contexts: ContextHistory;
  readonly #promptContexts = new RowSet();

  constructor(rules: PairRules) {
    this.#rules = rules;
    this.#contexts = new ContextHistory(rules.context.remembers);
  }

  /** Returns the pairs of one text that count, in their order, and why the others do not. */
  collect(text: TokenText): { readonly pairs: TokenPairs; readonly skipped: SkipCounts } {
    const skipped: SkipCounts = {};
    const all = pairsOf(text, this.#rules, skipped, this.#contexts, this.#promptContexts);
    const pairs = this.#keepNew(all);
    if (pairs.count < all.count) skipped['repeated pair'] = all.count - pairs.count;
    return { pairs, skipped };
  }

  #keepNew(pairs: TokenPairs): TokenPairs {
    const inputs: EffectiveInputs = this.#rules.effectiveInputs?.(pairs) ?? {
      width: pairs.width,
      rows: pairs.contexts,
    };
    const kept = new Int32Array(pairs.count);
    const { width, rows, tokens = pairs.tokens } = inputs;
    const count = this.#seen.addNew(rows, width, tokens, kept);
    return count === pairs.count ? pairs : selectPairs(pairs, kept.subarray(0, count));
  }
}

/** Returns the pairs at some rows. */
export function selectPairs(pairs: TokenPairs, rows: Int32Array): TokenPairs {
  const { width } = pairs;
  const contexts = new Int32Array(rows.length * width);
  const tokens = new Int32Array(rows.length);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    tokens[index] = pairs.tokens[row]!;
    for (let at = 0; at < width; at++) {
      contexts[index * width + at] = pairs.contexts[row * width + at]!;
    }
  }
  return { count: rows.length, width, contexts, tokens };
}

/**
 * Writes the context of the token at `position` into `contexts` from index `into` on, oldest token
 * first, and says whether there is one under the rule.
 */
export function readContext(
  rule: ContextRule,
  text: TokenText,
  position: number,
  contexts: Int32Array,
  into: number,
): boolean {
  const { width, padding } = rule;
  const inPrompt = position < text.promptLength;
  const first = rule.reads === 'output' && !inPrompt ? text.promptLength : 0;
  if ((padding === undefined || inPrompt) && position - first < width) return false;
  const start = position - width;
  const missing = Math.max(0, first - start);
  for (let at = 0; at < missing; at++) contexts[into + at] = padding ?? 0;
  for (let at = missing; at < width; at++) contexts[into + at] = text.tokens[start + at]!;
  return true;
}

function pairsOf(
  text: TokenText,
  rules: PairRules,
  skipped: SkipCounts,
  contextsSeen: ContextHistory,
  promptContexts: RowSet,
): TokenPairs {
  const { repeats, skipPromptContexts = false } = rules;
  const { width } = rules.context;
  const { promptLength } = text;
  const length = text.tokens.length;
  const most = Math.max(0, length - promptLength);
  const contexts = new Int32Array((most + 1) * width);
  const tokens = new Int32Array(most);
  const counts = { short: 0, copied: 0, repeated: 0, outside: 0 };
  if (skipPromptContexts) rememberPrompt(text, rules.context, contexts, promptContexts);
  if (repeats !== 'mark') contextsSeen.clear();
  if (repeats === 'all') rememberPrompt(text, rules.context, contexts, contextsSeen);
  let outside = lastOutside(text, rules);
  let count = 0;
  for (let position = promptLength; position < length; position++) {
    const at = count * width;
    const token = text.tokens[position]!;
    if (!isInside(token, rules.vocabularySize)) outside = position;
    if (!readContext(rules.context, text, position, contexts, at)) counts.short++;
    else if (skipPromptContexts && promptContexts.has(contexts, at, width)) counts.copied++;
    else if (repeats !== 'mark' && !contextsSeen.add(contexts, at, width)) counts.repeated++;
    else if (outside >= position - width) counts.outside++;
    else tokens[count++] = token;
  }
  note(skipped, 'prompt', Math.min(promptLength, length));
  note(skipped, 'context too short', counts.short);
  note(skipped, 'context in prompt', counts.copied);
  note(skipped, 'repeated context', counts.repeated);
  note(skipped, 'token out of range', counts.outside);
  return {
    count,
    width,
    contexts: contexts.subarray(0, count * width),
    tokens: tokens.subarray(0, count),
  };
}

function rememberPrompt(
  text: TokenText,
  rule: ContextRule,
  scratch: Int32Array,
  contextsSeen: Pick<ContextHistory, 'add' | 'clear'>,
): void {
  const row = scratch.length >= rule.width ? scratch : new Int32Array(rule.width);
  contextsSeen.clear();
  for (let position = 0; position < text.promptLength; position++) {
    if (readContext(rule, text, position, row, 0)) contextsSeen.add(row, 0, rule.width);
  }
}

function note(skipped: SkipCounts, reason: SkipReason, count: number): void {
  if (count > 0) skipped[reason] = (skipped[reason] ?? 0) + count;
}

/** The last position before the output that contexts read and that is outside the vocabulary. */
function lastOutside({ tokens, promptLength }: TokenText, rules: PairRules): number {
  const { width, reads } = rules.context;
  const first = reads === 'output' ? promptLength : Math.max(0, promptLength - width);
  for (let position = Math.min(promptLength, tokens.length) - 1; position >= first; position--) {
    if (!isInside(tokens[position]!, rules.vocabularySize)) return position;
  }
  return -Infinity;
}

function isInside(token: number, vocabularySize: number): boolean {
  return token >= 0 && token < vocabularySize;
}
