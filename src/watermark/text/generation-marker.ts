import type { TokenCandidates, TokenMarker } from '../../contracts.ts';
import { ContextHistory } from './context-history.ts';
import type { ContextRule } from './prfs/prf.ts';
import type { GenerationOptions, TextScheme } from './schemes/scheme.ts';
import { type Repeats, readContext } from './token-pairs.ts';

/**
 * Marks one generation step by step. It remembers which contexts have occurred, so that detection
 * and embedding leave the same repetitions alone. Every call's sequence begins with that of the call
 * before; a shorter one starts the marker afresh. Give each generation a marker of its own.
 */
export class GenerationMarker implements TokenMarker {
  readonly #scheme: TextScheme;
  readonly #rule: ContextRule;
  readonly #repeats: Repeats;
  readonly #options: GenerationOptions;
  readonly #seen: ContextHistory;
  #position = -1;
  #marksHere = false;

  constructor(
    scheme: TextScheme,
    rules: { readonly context: ContextRule; readonly repeats: Repeats },
    options: GenerationOptions,
  ) {
    this.#scheme = scheme;
    this.#rule = rules.context;
    this.#repeats = rules.repeats;
    this.#options = options;
    this.#seen = new ContextHistory(rules.context.remembers);
  }

  mark(logits: Float32Array, sequence: Int32Array): void {
    const context = this.#contextToMark(sequence);
    if (context) this.#scheme.mark(logits, context, this.#options);
  }

  markCandidates(candidates: TokenCandidates, sequence: Int32Array): void {
    const context = this.#contextToMark(sequence);
    if (context) this.#scheme.markCandidates(candidates, context, this.#options);
  }

  /** Returns the context of the next token, or nothing where it is to be left unmarked. */
  #contextToMark(sequence: Int32Array): Int32Array | undefined {
    const context = new Int32Array(this.#rule.width);
    const position = sequence.length;
    const text = { tokens: sequence, promptLength: this.#options.promptLength };
    if (position < this.#position) this.#restart();
    const first = this.#repeats === 'mark' ? position : this.#position + 1;
    for (let at = Math.max(first, this.#firstRemembered()); at <= position; at++) {
      this.#marksHere =
        readContext(this.#rule, text, at, context, 0) &&
        (this.#repeats === 'mark' || this.#seen.add(context, 0, context.length));
      this.#position = at;
    }
    readContext(this.#rule, text, position, context, 0);
    return this.#marksHere && position >= this.#firstMarked() ? context : undefined;
  }

  #firstMarked(): number {
    const { reads, unmarkedBefore = 0 } = this.#rule;
    return (reads === 'output' ? this.#options.promptLength : 0) + unmarkedBefore;
  }

  #firstRemembered(): number {
    return this.#repeats === 'all' ? 0 : this.#options.promptLength;
  }

  #restart(): void {
    this.#seen.clear();
    this.#position = -1;
  }
}
