import { type CountLevel, collectCounts } from './kneser-ney-counts.ts';
import {
  denseDistribution,
  type NextTokenModel,
  type NextTokens,
  SharedDistribution,
} from './next-token-model.ts';
import type { PairTable } from './pair-table.ts';
import { requireTokens, requireWhole, startOfText } from './training-texts.ts';

export interface KneserNeyOptions {
  /** Tokens of the longest n-grams, 1 to 8; 4 by default. */
  readonly order?: number;
  /** Token ids are in [0, vocabularySize). */
  readonly vocabularySize: number;
}

/**
 * Trains an n-gram model with interpolated Kneser-Ney smoothing (Kneser and Ney 1995; Chen and
 * Goodman 1999, section 3.1, equation 18): with the counts c of the longest n-grams,
 *
 *   p(w | h) = max(c(h w) - D, 0) / c(h) + D N(h) / c(h) p(w | h without its oldest token),
 *
 * N(h) being the number of different tokens after h. Shorter n-grams count the different tokens
 * seen before them instead of their occurrences, and below one token stands the uniform
 * distribution over all ids. Every order has the discount D = n1 / (n1 + 2 n2) of its own counts.
 * The beginning of a text is a token of its own before it, and nothing marks the end.
 *
 * Without any text the model is uniform. The same texts give the same model.
 *
 * @throws TouchmarkError INPUT_INVALID for a token id, order or vocabulary size outside its range
 */
export function trainKneserNey(
  texts: readonly Int32Array[],
  options: KneserNeyOptions,
): KneserNeyModel {
  const { order = 4, vocabularySize } = options;
  requireWhole('order of an n-gram model', order, 1, 8);
  requireWhole('vocabulary size', vocabularySize, 1, 2 ** 24);
  requireTokens(texts, vocabularySize);
  const { tokens, levels } = collectCounts(texts, order, vocabularySize);
  return new KneserNeyModel(baseDistribution(tokens), levels.map(smooth));
}

/** Contexts of one length, and what each adds to the distribution over the next token. */
interface SmoothedLevel {
  /** Numbers contexts: that of the context without its oldest token, and the oldest token. */
  readonly contexts: PairTable;
  /** What stays for shorter contexts, by context. */
  readonly backoff: Float64Array;
  /** The tokens after context c are those from offsets[c] to offsets[c + 1]. */
  readonly offsets: Int32Array;
  readonly tokens: Int32Array;
  readonly discounted: Float32Array;
}

export class KneserNeyModel implements NextTokenModel {
  readonly vocabularySize: number;
  readonly order: number;
  readonly shared: SharedDistribution;
  readonly #levels: readonly SmoothedLevel[];
  /** What contexts add, by token id; zero between calls. */
  readonly #added: Float64Array;

  constructor(base: Float32Array, levels: readonly SmoothedLevel[]) {
    this.vocabularySize = base.length;
    this.order = levels.length + 1;
    this.shared = new SharedDistribution(base);
    this.#levels = levels;
    this.#added = new Float64Array(base.length);
  }

  /** Ids that never occurred, in the vocabulary or not, leave what stands after them. */
  next(context: Int32Array): NextTokens {
    const found = this.#find(context);
    const weights = new Float64Array(found.length + 1).fill(1);
    for (let length = found.length - 1; length >= 0; length--) {
      weights[length] = weights[length + 1]! * this.#levels[length]!.backoff[found[length]!]!;
    }
    const followers = found.map((number, length) => {
      const { offsets, tokens, discounted } = this.#levels[length]!;
      const [from, to] = [offsets[number]!, offsets[number + 1]!];
      addScaled(this.#added, tokens, discounted, from, to, weights[length + 1]!);
      return tokens.subarray(from, to);
    });
    const sharedWeight = weights[0]!;
    // Whatever follows a context also follows the shorter ones, so the shortest lists all tokens.
    const tokens = followers[0] ?? new Int32Array(0);
    const probabilities = takeSums(this.#added, tokens, this.shared.probabilities, sharedWeight);
    return { tokens, probabilities, sharedWeight };
  }

  /** Returns the probability of every token id after a context; see `denseDistribution`. */
  nextDistribution(context: Int32Array, into?: Float32Array): Float32Array {
    return denseDistribution(this, context, into);
  }

  /** The numbers of the known contexts that the text ends in, the shortest first. */
  #find(context: Int32Array): number[] {
    const found: number[] = [];
    let number = 0;
    for (const [length, { contexts }] of this.#levels.entries()) {
      const at = context.length - 1 - length;
      const token = at < 0 ? startOfText : context[at]!;
      if (at >= 0 && token < 0) break;
      number = contexts.find(number, token);
      if (number < 0) break;
      found.push(number);
    }
    return found;
  }
}

/** The distribution without context: discounted counts over the uniform distribution. */
function baseDistribution(counts: Int32Array): Float32Array {
  const discount = discountOf(counts);
  let total = 0;
  let different = 0;
  for (const count of counts) {
    total += count;
    if (count > 0) different++;
  }
  const uniform = 1 / counts.length;
  if (total === 0) return new Float32Array(counts.length).fill(uniform);
  const rest = ((discount * different) / total) * uniform;
  return Float32Array.from(counts, (count) => Math.max(0, count - discount) / total + rest);
}

function smooth({ contexts, offsets, tokens, counts }: CountLevel): SmoothedLevel {
  const discount = discountOf(counts);
  const backoff = new Float64Array(contexts.size);
  const discounted = new Float32Array(counts.length);
  for (let context = 0; context < backoff.length; context++) {
    const [from, to] = [offsets[context]!, offsets[context + 1]!];
    let total = 0;
    for (let entry = from; entry < to; entry++) total += counts[entry]!;
    for (let entry = from; entry < to; entry++) {
      discounted[entry] = (counts[entry]! - discount) / total;
    }
    backoff[context] = (discount * (to - from)) / total;
  }
  return { contexts, offsets, tokens, backoff, discounted };
}

/** Ney, Essen and Kneser (1994): n1 / (n1 + 2 n2); one half where nothing occurs exactly once. */
function discountOf(counts: Int32Array): number {
  let once = 0;
  let twice = 0;
  for (const count of counts) {
    if (count === 1) once++;
    else if (count === 2) twice++;
  }
  return once === 0 ? 0.5 : once / (once + 2 * twice);
}

function addScaled(
  added: Float64Array,
  tokens: Int32Array,
  values: Float32Array,
  from: number,
  to: number,
  factor: number,
): void {
  for (let entry = from; entry < to; entry++) {
    const token = tokens[entry]!;
    added[token] = added[token]! + factor * values[entry]!;
  }
}

/** Returns what was added for the tokens and their share of the base, and sets the former to zero. */
function takeSums(
  added: Float64Array,
  tokens: Int32Array,
  base: Float32Array,
  factor: number,
): Float64Array {
  const sums = new Float64Array(tokens.length);
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    sums[index] = added[token]! + factor * base[token]!;
    added[token] = 0;
  }
  return sums;
}
