import type { Answer, Outcome } from '../../contracts.ts';
import type { TouchmarkError } from '../../errors.ts';
import { type AnswerShape, AnswerShapeObserver, roundingOf } from './answer-shape.ts';
import { agreement, type Columns, columnsOf, columnsOfNamed } from './columns.ts';
import { excerpt, shown } from './excerpt.ts';
import { createLabelMatcher, type LabelMatcher } from './label-mapping.ts';
import { invalidAnswer } from './replies.ts';
import type { AnswerReaderOptions, WireAnswers } from './wire-answers.ts';

/** What fell outside the protected model's labels. */
export interface Outside {
  /** Answers whose label is not among ours. */
  readonly answers: number;
  /** Sum over answers of the probability given to labels that are not ours, or to none. */
  readonly mass: number;
}

const rangeTolerance = 1e-6;
const acceptedForms =
  'plain JSON is {"labels": [...], "probabilities": [[...], ...]} or {"answers": [...]}; Open Inference is outputs "probabilities" FP32 [n, K] and/or "label" BYTES [n]';

/**
 * Turns a suspect's answers into outcomes over the protected model's labels.
 *
 * Probabilities are reordered and projected: labels that meet in one of ours add up, labels of ours
 * that the suspect lacks get 0, and the rest is counted as `outside`; nothing is renormalised. An
 * answer is the label sent, else the arg-max over the suspect's own labels; one outside our set
 * keeps the suspect's spelling, made printable. A suspect that names only its top labels leaves the
 * others at 0, and what its row lacks to 1 counts as outside mass too. Where the order of the columns is assumed and the
 * label sent, one of ours, is not the arg-max, nothing is inferred: the label stands alone.
 */
export class AnswerReader {
  readonly #options: AnswerReaderOptions;
  readonly #match: LabelMatcher;
  readonly #outside = { answers: 0, mass: 0 };
  readonly #shape = new AnswerShapeObserver();

  /** @throws CONFIG_INVALID when the label map leads outside our labels. */
  constructor(options: AnswerReaderOptions) {
    this.#options = options;
    this.#match = createLabelMatcher(options.labels, options.labelMap);
  }

  get outside(): Outside {
    return { ...this.#outside };
  }

  /** What the probabilities that came so far look like. */
  get shape(): AnswerShape {
    return this.#shape.shape();
  }

  /**
   * Returns one outcome per input.
   *
   * @throws SUSPECT_ANSWER_INVALID unless there is one row per input, and every row of probabilities
   * is finite, within [0, 1] to 1e-6, and sums over the suspect's own labels to 1 within 1e-3, or
   * within what rounding or cutting K of them to the row's decimals explains; where it names its top
   * labels only, to more than 0 and at most that.
   */
  read(wire: WireAnswers, inputs: number): Outcome[] {
    const { probabilities, named, answers, missing, came = [] } = wire;
    this.#checkCount('probabilities', probabilities, inputs);
    this.#checkCount('probabilities', named, inputs);
    this.#checkCount('answers', answers, inputs);
    if (probabilities === undefined && named === undefined && answers === undefined) {
      const only = came.length === 0 ? '' : `, only ${came.slice(0, 8).map(shown).join(', ')}`;
      throw this.#invalid(`holds neither probabilities nor answers${only}`, acceptedForms);
    }
    if (named !== undefined) {
      return named.map((row, number) => {
        const why = missing?.[number];
        return why ? { missing: why } : this.#readNamed(row, answers?.[number], number);
      });
    }
    const columns = columnsOf(wire, this.#options, this.#match);
    return Array.from({ length: inputs }, (_, row) => {
      const why = missing?.[row];
      if (why !== undefined) return { missing: why };
      const given = probabilities?.[row];
      const answer = answers?.[row];
      if (given === null || answer === null) return { missing: 'refused' };
      if (given === undefined || columns === undefined)
        return { answer: { label: this.#label(answer!) } };
      const checked = this.#checkRow(given, columns.labels, row);
      this.#checkSum(checked, row);
      return { answer: this.#answer(checked, columns, answer) };
    });
  }

  #readNamed(
    row: ReadonlyMap<string, unknown> | null,
    answer: string | null | undefined,
    number: number,
  ): Outcome {
    if (row === null || answer === null) return { missing: 'refused' };
    const columns = columnsOfNamed([...row.keys()], this.#match);
    const checked = this.#checkRow([...row.values()], columns.labels, number);
    const sum = this.#checkSum(checked, number, true);
    if (this.#options.labelsOnly !== true) this.#outside.mass += Math.max(0, 1 - sum);
    return { answer: this.#answer(checked, columns, answer, true) };
  }

  #answer(
    row: readonly number[],
    columns: Columns,
    named: string | undefined,
    partial = false,
  ): Answer {
    const { labels, places, assumed } = columns;
    const top = argMax(row);
    const label = named === undefined ? this.#label(labels[top]!, places[top]) : this.#label(named);
    const place = named === undefined ? undefined : this.#match(named);
    const agrees = named === undefined ? undefined : agreement(row, columns, named, place);
    this.#shape.observe({ row, named: partial, agrees });
    const contradicted = assumed && place !== undefined && row[place]! < row[top]!;
    if (this.#options.labelsOnly === true || contradicted) return { label };
    return { label, probabilities: this.#project(row, places) };
  }

  #label(theirs: string, position = this.#match(theirs)): string {
    if (position !== undefined) return this.#options.labels[position]!;
    this.#outside.answers += 1;
    return excerpt(theirs);
  }

  #project(row: readonly number[], places: readonly (number | undefined)[]): readonly number[] {
    const projected = new Array<number>(this.#options.labels.length).fill(0);
    for (const [column, probability] of row.entries()) {
      const place = places[column];
      if (place === undefined) this.#outside.mass += probability;
      else projected[place] = projected[place]! + probability;
    }
    return projected;
  }

  #checkRow(row: readonly unknown[], labels: readonly string[], number: number): number[] {
    if (row.length !== labels.length) {
      throw this.#invalid(
        `holds ${row.length} probabilities in row ${number} for ${labels.length} labels`,
      );
    }
    return row.map((value, column) => {
      if (!isProbability(value)) {
        throw this.#invalid(
          `gives ${shown(value)} as the probability of ${shown(labels[column])} in row ${number}`,
          'probabilities are numbers from 0 to 1: put a softmax behind logits, divide percentages by 100',
        );
      }
      return Math.min(1, Math.max(0, value));
    });
  }

  /** Returns the sum of a row when it is one that probabilities can have. */
  #checkSum(row: readonly number[], number: number, partial = false): number {
    const sum = row.reduce((total, value) => total + value, 0);
    const { excess, deficit } = roundingOf(row);
    if (sum > 0 && sum - 1 <= excess && (partial || 1 - sum <= deficit)) return sum;
    throw this.#invalid(
      `gives probabilities that sum to ${sum} in row ${number}`,
      'have the suspect give all of its labels, normalised, or read only its answers',
    );
  }

  #checkCount(what: string, rows: readonly unknown[] | undefined, inputs: number): void {
    if (rows === undefined || rows.length === inputs) return;
    throw this.#invalid(
      `holds ${rows.length} rows of ${what} for ${inputs} inputs`,
      'it must answer every input, in order; try a batch size of 1',
    );
  }

  #invalid(what: string, hint = 'check that the address speaks this protocol'): TouchmarkError {
    return invalidAnswer(this.#options.address, what, hint);
  }
}

function isProbability(value: unknown): value is number {
  return typeof value === 'number' && value >= -rangeTolerance && value <= 1 + rangeTolerance;
}

function argMax(row: readonly number[]): number {
  return row.reduce((best, value, column) => (value > row[best]! ? column : best), 0);
}
