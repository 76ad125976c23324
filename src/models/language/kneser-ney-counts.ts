import { PairTable } from './pair-table.ts';
import { startOfText } from './training-texts.ts';

/** Contexts of one length with the counts of the tokens after them, grouped by context. */
export interface CountLevel {
  /** Numbers contexts: that of the context without its oldest token, and the oldest token. */
  readonly contexts: PairTable;
  /** The tokens after context c are those from offsets[c] to offsets[c + 1]. */
  readonly offsets: Int32Array;
  readonly tokens: Int32Array;
  /** Occurrences for the longest contexts; different tokens before context and token otherwise. */
  readonly counts: Int32Array;
}

export interface Counts {
  /** The count of every token id without context. */
  readonly tokens: Int32Array;
  /** Contexts of 1, 2, ..., order - 1 tokens. */
  readonly levels: readonly CountLevel[];
}

/** Distinct (context, token) pairs and their counts, by number. */
interface Occurrences {
  readonly pairs: PairTable;
  readonly counts: Int32Array;
}

/** Counts n-grams as Kneser and Ney do: occurrences of the longest, continuations of the others. */
export function collectCounts(
  texts: readonly Int32Array[],
  order: number,
  vocabularySize: number,
): Counts {
  const stream = joined(texts, order - 1);
  const positions = positionsOf(texts, order - 1);
  const { tables, contexts } = numberContexts(stream, positions, order - 1);
  const levels: CountLevel[] = [];
  let occurrences = count(
    contexts,
    positions.map((position) => stream[position]!),
  );
  for (let length = order - 1; length >= 1; length--) {
    const table = tables[length - 1]!;
    levels.unshift(group(table, occurrences));
    const shorter = table.firsts;
    const { firsts, seconds } = occurrences.pairs;
    occurrences = count(
      firsts.map((context) => shorter[context]!),
      seconds,
    );
  }
  const tokens = new Int32Array(vocabularySize);
  occurrences.pairs.seconds.forEach((token, number) => {
    tokens[token] = occurrences.counts[number]!;
  });
  return { tokens, levels };
}

/** All texts, each after `before` starts of text. */
function joined(texts: readonly Int32Array[], before: number): Int32Array {
  const length = texts.reduce((sum, text) => sum + before + text.length, 0);
  const stream = new Int32Array(length).fill(startOfText);
  let at = 0;
  for (const text of texts) {
    stream.set(text, at + before);
    at += before + text.length;
  }
  return stream;
}

/** Where the tokens of the texts are in the joined stream. */
function positionsOf(texts: readonly Int32Array[], before: number): Int32Array {
  const positions = new Int32Array(texts.reduce((sum, text) => sum + text.length, 0));
  let [index, at] = [0, 0];
  for (const text of texts) {
    at += before;
    for (let token = 0; token < text.length; token++) positions[index++] = at++;
  }
  return positions;
}

/** Numbers the contexts of every length, and tells the longest context of each position. */
function numberContexts(
  stream: Int32Array,
  positions: Int32Array,
  longest: number,
): { readonly tables: readonly PairTable[]; readonly contexts: Int32Array } {
  const tables: PairTable[] = [];
  const contexts = new Int32Array(positions.length);
  for (let length = 1; length <= longest; length++) {
    const table = new PairTable(1024);
    for (let index = 0; index < positions.length; index++) {
      contexts[index] = table.insert(contexts[index]!, stream[positions[index]! - length]!);
    }
    tables.push(table.compact());
  }
  return { tables, contexts };
}

function count(contexts: Int32Array, tokens: Int32Array): Occurrences {
  const pairs = new PairTable(1024);
  const counts = new Int32Array(tokens.length);
  for (let index = 0; index < tokens.length; index++) {
    const number = pairs.insert(contexts[index]!, tokens[index]!);
    counts[number] = counts[number]! + 1;
  }
  return { pairs, counts: counts.slice(0, pairs.size) };
}

/** Sorts occurrences by context, in the order of their numbers (Knuth 5.2 D, distribution sort). */
function group(contexts: PairTable, { pairs, counts }: Occurrences): CountLevel {
  const { firsts, seconds } = pairs;
  const offsets = new Int32Array(contexts.size + 1);
  for (const context of firsts) offsets[context + 1] = offsets[context + 1]! + 1;
  for (let context = 0; context < contexts.size; context++) {
    offsets[context + 1] = offsets[context + 1]! + offsets[context]!;
  }
  const next = offsets.slice();
  const grouped = { tokens: new Int32Array(pairs.size), counts: new Int32Array(pairs.size) };
  for (let number = 0; number < pairs.size; number++) {
    const at = next[firsts[number]!]!;
    next[firsts[number]!] = at + 1;
    grouped.tokens[at] = seconds[number]!;
    grouped.counts[at] = counts[number]!;
  }
  return { contexts, offsets, ...grouped };
}
