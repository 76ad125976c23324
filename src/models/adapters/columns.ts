import type { LabelMatcher } from './label-mapping.ts';
import { invalidAnswer } from './replies.ts';
import type { AnswerReaderOptions, WireAnswers } from './wire-answers.ts';

/** Whose the columns of a suspect's probabilities are. */
export interface Columns {
  readonly labels: readonly string[];
  /** Where each column stands among the protected model's labels; undefined when outside. */
  readonly places: readonly (number | undefined)[];
  /** True when nobody said what the columns are and they are read in the protected model's order. */
  readonly assumed: boolean;
}

/** Returns the labels that a suspect or its settings name; undefined when nobody names any. */
export function namedLabels(
  { labels }: Pick<WireAnswers, 'labels'>,
  { suspectLabels }: Pick<AnswerReaderOptions, 'suspectLabels'>,
): readonly string[] | undefined {
  return [labels, suspectLabels].find((each) => each !== undefined && each.length > 0);
}

/**
 * Decides what the columns of a suspect's probabilities mean, or returns undefined when its answer
 * can be read for labels only.
 *
 * The suspect's own labels decide, else `suspectLabels`. Where neither names the columns and there
 * are as many as we have labels, they are read in our order. A wrong order cannot make a keyed test
 * invalid: the order is fixed without the key, and under the null hypothesis any function of the
 * suspect's answers is independent of the key. It only loses power against a surrogate.
 *
 * @throws SUSPECT_ANSWER_INVALID when the columns cannot be named and no labels came beside them.
 */
export function columnsOf(
  wire: WireAnswers,
  options: AnswerReaderOptions,
  match: LabelMatcher,
): Columns | undefined {
  const { probabilities, answers } = wire;
  const { labels: ours, address } = options;
  if (probabilities === undefined) return undefined;
  const labels = namedLabels(wire, options);
  if (labels !== undefined) return columnsOfNamed(labels, match);
  const width = probabilities.find((row) => row !== null)?.length ?? ours.length;
  if (width === ours.length) return { labels: ours, places: [...ours.keys()], assumed: true };
  if (answers !== undefined && ours.length > 0) return undefined;
  throw invalidAnswer(
    address,
    `holds ${width} probabilities for each input but not the labels they belong to`,
    "list the suspect's labels, in its order, under audit.suspectLabels in touchmark.yaml (those of the protected model itself under model.labels)",
  );
}

/** Returns what the labels mean that a suspect names itself, one for each of its probabilities. */
export function columnsOfNamed(labels: readonly string[], match: LabelMatcher): Columns {
  return { labels, places: labels.map(match), assumed: false };
}

/** Says whether a label is one of the likeliest; undefined when the row does not know it. */
export function agreement(
  row: readonly number[],
  { labels, places }: Columns,
  named: string,
  place: number | undefined,
): boolean | undefined {
  const largest = Math.max(...row);
  const columns = [...labels.keys()].filter(
    (column) => labels[column] === named || (place !== undefined && places[column] === place),
  );
  if (columns.length === 0) return undefined;
  return columns.some((column) => row[column] === largest);
}
