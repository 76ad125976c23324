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
  const first = rule.reads === 'output' ? text.promptLength : 0;
  const unmarkedBefore = rule.unmarkedBefore ?? (padding === undefined ? width : 0);
  if (position - first < unmarkedBefore) return false;
  const start = position - width;
  for (let at = 0; at < width; at++) {
    contexts[into + at] = start + at < first ? (padding ?? 0) : text.tokens[start + at]!;
  }
  return true;
}

function pairsOf(
  text: TokenText,
  rules: PairRules,
  skipped: SkipCounts,
  contextsSeen: RowSet,
): TokenPairs {
  const { repeats } = rules;
  const { width } = rules.context;
  const { promptLength } = text;
  const length = text.tokens.length;
  const most = Math.max(0, length - promptLength);
  const contexts = new Int32Array((most + 1) * width);
  const tokens = new Int32Array(most);
  const counts = { short: 0, repeated: 0, outside: 0 };
  if (repeats !== 'mark') contextsSeen.clear();
  if (repeats === 'all') rememberPrompt(text, rules.context, contexts, contextsSeen);
  let count = 0;
  for (let position = promptLength; position < length; position++) {
    const at = count * width;
    if (!readContext(rules.context, text, position, contexts, at)) counts.short++;
    else if (repeats !== 'mark' && !contextsSeen.add(contexts, at, width)) counts.repeated++;
    else if (!inRange(rules, text.tokens[position]!, contexts, at)) counts.outside++;
    else tokens[count++] = text.tokens[position]!;
  }
  note(skipped, 'prompt', Math.min(promptLength, length));
  note(skipped, 'context too short', counts.short);
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
  contextsSeen: RowSet,
): void {
  const row = scratch.length >= rule.width ? scratch : new Int32Array(rule.width);
  for (let position = 0; position < text.promptLength; position++) {
    if (readContext(rule, text, position, row, 0)) contextsSeen.add(row, 0, rule.width);
  }
}

function note(skipped: SkipCounts, reason: SkipReason, count: number): void {
  if (count > 0) skipped[reason] = (skipped[reason] ?? 0) + count;
}

function inRange(rules: PairRules, token: number, contexts: Int32Array, from: number): boolean {
  const { vocabularySize } = rules;
  const { width, padding } = rules.context;
  if (token < 0 || token >= vocabularySize) return false;
  for (let at = from; at < from + width; at++) {
    const id = contexts[at]!;
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
  #slots = new Int32Array(2 * 1024);

  clear(): void {
    if (this.#size > 0) this.#slots.fill(0);
    this.#size = 0;
  }

  /** Adds the row of `width` numbers that begins at `from`, and says whether it is new. */
  add(rows: Int32Array, from: number, width: number): boolean {
    this.#reserve(1);
    const isNew = insert(this.#slots, rows, from, width, 0);
    if (isNew) this.#size++;
    return isNew;
  }

  /**
   * Adds each row with its token, writes the indices of the new ones to `kept` in order, and returns
   * how many there are.
   */
  addNew(rows: Int32Array, width: number, tokens: Int32Array, kept: Int32Array): number {
    this.#reserve(tokens.length);
    const count = insertAll(this.#slots, rows, width, tokens, kept);
    this.#size += count;
    return count;
  }

  #reserve(more: number): void {
    if (4 * (this.#size + more) <= this.#slots.length) return;
    const slots = this.#slots;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(8 * (this.#size + more))));
    for (let slot = 0; slot < slots.length; slot += 2) {
      const [a, b] = [slots[slot]!, slots[slot + 1]!];
      if (a !== 0 || b !== 0) place(this.#slots, a, b);
    }
  }
}

function insertAll(
  slots: Int32Array,
  rows: Int32Array,
  width: number,
  tokens: Int32Array,
  kept: Int32Array,
): number {
  let count = 0;
  for (let index = 0; index < tokens.length; index++) {
    if (insert(slots, rows, index * width, width, tokens[index]!)) kept[count++] = index;
  }
  return count;
}

function insert(
  slots: Int32Array,
  rows: Int32Array,
  from: number,
  width: number,
  token: number,
): boolean {
  let a = Math.imul(token ^ 0x9e3779b9, 0x2545f491);
  let b = Math.imul(token ^ 0x85ebca6b, 0x6c8e9cf5);
  for (let at = from; at < from + width; at++) {
    a = Math.imul(a ^ (a >>> 15) ^ rows[at]!, 0x2545f491);
    b = Math.imul(b ^ (b >>> 13) ^ rows[at]!, 0x6c8e9cf5);
  }
  a = mix(a);
  b = mix(b ^ a);
  return place(slots, a, a === 0 && b === 0 ? 1 : b);
}

function place(slots: Int32Array, a: number, b: number): boolean {
  const mask = slots.length - 2;
  for (let slot = (2 * a) & mask; ; slot = (slot + 2) & mask) {
    const held = slots[slot]!;
    if (held === a && slots[slot + 1] === b) return false;
    if (held === 0 && slots[slot + 1] === 0) {
      slots[slot] = a;
      slots[slot + 1] = b;
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
