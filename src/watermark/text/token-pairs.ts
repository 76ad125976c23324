import type { ContextRule, TextPrf, TokenPairs } from './prfs/prf.ts';

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
  | 'excluded';

export type SkipCounts = Partial<Record<SkipReason, number>>;

export interface PairRules {
  readonly context: ContextRule;
  readonly repeats: Repeats;
  /** Token ids are in [0, vocabularySize). */
  readonly vocabularySize: number;
  readonly effectiveInputs?: TextPrf['effectiveInputs'];
}

/**
 * Collects the (context, token) pairs of texts that a pseudorandom function draws afresh: each pair
 * counts once over all texts, on what the function really reads, since a repeated pair repeats its
 * score and not its evidence (Fernandez et al. 2023, "Three bricks", section 3.2).
 */
export class PairCollector {
  readonly #rules: PairRules;
  readonly #seen = new RowSet();
  readonly #contexts = new RowSet();

  constructor(rules: PairRules) {
    this.#rules = rules;
  }

  /** Makes every later pair of these not count, such as the pairs that a prompt contains. */
  exclude(pairs: TokenPairs): void {
    this.#keepNew(pairs);
  }

  /** Returns the pairs of one text that count, in their order, and why the others do not. */
  collect(text: TokenText): { readonly pairs: TokenPairs; readonly skipped: SkipCounts } {
    const skipped: SkipCounts = {};
    const all = pairsOf(text, this.#rules, skipped, this.#contexts);
    const pairs = this.#keepNew(all);
    if (pairs.count < all.count) skipped['repeated pair'] = all.count - pairs.count;
    return { pairs, skipped };
  }

  #keepNew(pairs: TokenPairs): TokenPairs {
    const { width, rows } = this.#rules.effectiveInputs?.(pairs) ?? {
      width: pairs.width,
      rows: pairs.contexts,
    };
    const kept = new Int32Array(pairs.count);
    const count = this.#seen.addNew(rows, width, pairs.tokens, kept);
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
 * Writes the context of the token at `position` into `context`, oldest first, and says whether
 * there is one under the rule.
 */
export function readContext(
  rule: ContextRule,
  text: TokenText,
  position: number,
  context: Int32Array,
): boolean {
  const { width } = rule;
  const first = rule.reads === 'output' ? text.promptLength : 0;
  const unmarkedBefore = rule.unmarkedBefore ?? (rule.padding === undefined ? width : 0);
  if (position - first < unmarkedBefore) return false;
  for (let at = 0; at < width; at++) {
    const from = position - width + at;
    context[at] = from < first ? (rule.padding ?? 0) : text.tokens[from]!;
  }
  return true;
}

function pairsOf(
  text: TokenText,
  rules: PairRules,
  skipped: SkipCounts,
  contextsSeen: RowSet,
): TokenPairs {
  const { context: rule, repeats, vocabularySize } = rules;
  const { width } = rule;
  const most = Math.max(0, text.tokens.length - text.promptLength);
  const contexts = new Int32Array(most * width);
  const tokens = new Int32Array(most);
  const skip = (reason: SkipReason) => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };
  contextsSeen.clear();
  if (text.promptLength > 0) skipped.prompt = Math.min(text.promptLength, text.tokens.length);
  let count = 0;
  for (let position = repeats === 'all' ? 0 : text.promptLength; position < text.tokens.length; ) {
    const row = contexts.subarray(count * width, (count + 1) * width);
    const here = position++;
    const isPrompt = here < text.promptLength;
    const context = isPrompt ? new Int32Array(width) : row;
    if (!readContext(rule, text, here, context)) {
      if (!isPrompt) skip('context too short');
      continue;
    }
    if (repeats !== 'mark' && !contextsSeen.add(context)) {
      if (!isPrompt) skip('repeated context');
      continue;
    }
    if (isPrompt) continue;
    const token = text.tokens[here]!;
    if (!inRange(token, context, rule.padding, vocabularySize)) {
      skip('token out of range');
      continue;
    }
    tokens[count++] = token;
  }
  return {
    count,
    width,
    contexts: contexts.subarray(0, count * width),
    tokens: tokens.subarray(0, count),
  };
}

function inRange(
  token: number,
  context: Int32Array,
  padding: number | undefined,
  vocabularySize: number,
): boolean {
  if (token < 0 || token >= vocabularySize) return false;
  for (let at = 0; at < context.length; at++) {
    const id = context[at]!;
    if ((id < 0 || id >= vocabularySize) && id !== padding) return false;
  }
  return true;
}

/**
 * A set of rows of int32 that remembers 64 bits of each. Two rows that share them count as one:
 * whether that happens does not depend on any key, so it costs a pair and never validity.
 */
export class RowSet {
  #size = 0;
  #high = new Int32Array(256);
  #low = new Int32Array(256);

  clear(): void {
    if (this.#size === 0) return;
    this.#high.fill(0);
    this.#low.fill(0);
    this.#size = 0;
  }

  /** Adds a row and says whether it is new. */
  add(row: Int32Array): boolean {
    return this.addNew(row, row.length, noToken, noRow) === 1;
  }

  /**
   * Adds each row with its token, writes the indices of the new ones to `kept` in order, and returns
   * how many there are.
   */
  addNew(rows: Int32Array, width: number, tokens: Int32Array, kept: Int32Array): number {
    let count = 0;
    for (let index = 0; index < tokens.length; index++) {
      if (2 * (this.#size + 1) > this.#high.length) this.#grow();
      if (insert(this.#high, this.#low, rows, index * width, width, tokens[index]!)) {
        kept[count++] = index;
        this.#size++;
      }
    }
    return count;
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#high = new Int32Array(4 * high.length);
    this.#low = new Int32Array(4 * low.length);
    for (let slot = 0; slot < high.length; slot++) {
      if (high[slot] !== 0 || low[slot] !== 0)
        place(this.#high, this.#low, high[slot]!, low[slot]!);
    }
  }
}

const noToken = new Int32Array(1);
const noRow = new Int32Array(1);

function insert(
  high: Int32Array,
  low: Int32Array,
  rows: Int32Array,
  from: number,
  width: number,
  token: number,
): boolean {
  let a = 0x9e3779b9 ^ width;
  let b = 0x85ebca6b ^ token;
  a = mix(a ^ token);
  for (let at = from; at < from + width; at++) {
    a = mix(Math.imul(a, 0x2545f491) ^ rows[at]!);
    b = mix(Math.imul(b, 0x6c8e9cf5) ^ rows[at]! ^ (a >>> 7));
  }
  if (a === 0 && b === 0) b = 1;
  return place(high, low, a, b);
}

function place(high: Int32Array, low: Int32Array, a: number, b: number): boolean {
  const mask = high.length - 1;
  for (let slot = (a ^ (b >>> 3)) & mask; ; slot = (slot + 1) & mask) {
    if (high[slot] === a && low[slot] === b) return false;
    if (high[slot] === 0 && low[slot] === 0) {
      high[slot] = a;
      low[slot] = b;
      return true;
    }
  }
}

/** A bijection of 32-bit numbers that spreads every bit (Wellons 2018, lowbias32). */
function mix(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}
