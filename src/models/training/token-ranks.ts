import { SharedDistribution } from '../language/next-token-model.ts';

/** Contexts and the tokens after them, as a network's inputs and outputs. */
export interface TokenExamples {
  /** Examples x context length input numbers, oldest first. */
  readonly contexts: Int32Array;
  /** The output number of each example. */
  readonly targets: Int32Array;
}

/**
 * Numbers the tokens of texts by their frequency, for a network that has an input for each of them
 * and an output for each of the most frequent ones.
 */
export class TokenRanks {
  readonly vocabularySize: number;
  /** The tokens with an output of their own, the most frequent first. */
  readonly shortlist: Int32Array;
  /** How often all tokens occurred, smoothed to be positive. */
  readonly shared: SharedDistribution;
  readonly #known: number;
  readonly #rankOf: Int32Array;

  constructor(texts: readonly Int32Array[], vocabularySize: number, longestShortlist: number) {
    const counts = new Int32Array(vocabularySize);
    for (const text of texts) for (const token of text) counts[token] = counts[token]! + 1;
    const ranked = Int32Array.from(counts.keys())
      .filter((token) => counts[token]! > 0)
      .sort((a, b) => counts[b]! - counts[a]! || a - b);
    this.vocabularySize = vocabularySize;
    this.shortlist = ranked.slice(0, longestShortlist);
    this.shared = new SharedDistribution(smoothed(counts, ranked.length));
    this.#known = ranked.length;
    this.#rankOf = new Int32Array(vocabularySize).fill(ranked.length);
    for (const [rank, token] of ranked.entries()) this.#rankOf[token] = rank;
  }

  /** Inputs: every token that occurred, one for those that never did, one before the beginning. */
  get inputs(): number {
    return this.#known + 2;
  }

  /** Outputs: the shortlist, and one for all other tokens. */
  get outputs(): number {
    return this.shortlist.length + 1;
  }

  /** Writes the input numbers of the tokens before a position, oldest first. */
  writeContext(text: Int32Array, position: number, inputs: Int32Array): void {
    for (let at = 0; at < inputs.length; at++) {
      const token = text[position - inputs.length + at];
      inputs[at] = token === undefined ? this.#known + 1 : (this.#rankOf[token] ?? this.#known);
    }
  }

  /** Returns every position of the texts as an example. */
  examples(texts: readonly Int32Array[], contextLength: number): TokenExamples {
    const count = texts.reduce((sum, text) => sum + text.length, 0);
    const contexts = new Int32Array(count * contextLength);
    const targets = new Int32Array(count);
    let example = 0;
    for (const text of texts) {
      for (let position = 0; position < text.length; position++, example++) {
        const from = example * contextLength;
        this.writeContext(text, position, contexts.subarray(from, from + contextLength));
        targets[example] = Math.min(this.#rankOf[text[position]!]!, this.shortlist.length);
      }
    }
    return { contexts, targets };
  }
}

function smoothed(counts: Int32Array, different: number): Float32Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return new Float32Array(counts.length).fill(1 / counts.length);
  const unseen = different / counts.length;
  return Float32Array.from(counts, (count) => (count + unseen) / (total + different));
}
