import { z } from 'zod';
import { shown } from './excerpt.ts';
import { scoredLabel } from './http-template-answers.ts';
import { checkReply, invalidAnswer, wireLabel } from './replies.ts';
import type { WireAnswers } from './wire-answers.ts';

/** Reads a reply to `inputs` questions. @throws SUSPECT_ANSWER_INVALID for one of another form */
export type PredictionReader = (reply: unknown, inputs: number, address: string) => WireAnswers;

const name = z.union([wireLabel, z.number().transform(String)]);
const oneName = z.union([
  name,
  z
    .array(name)
    .length(1)
    .transform(([only]) => only!),
]);
const names = z.array(name).max(65_536);
const row = z.record(z.string(), z.unknown());
const predictions = z.object({ predictions: z.array(z.union([z.array(z.unknown()), row, name])) });
const scored = z.array(z.array(z.array(z.unknown()).length(2)));
const classifications = z.union([
  z.object({ results: scored }).transform(({ results }) => results),
  z.object({ result: scored }).transform(({ result }) => result),
]);

/**
 * Reads the reply of `:predict` in row format.
 *
 * A row is a list of probabilities; one label; or an object with the model's outputs by name: of
 * "probabilities", "scores", "softmax" and otherwise the only list of numbers the probabilities are
 * read, of "label", "labels", "classes" and "class" a single name as the label, and as many names as
 * there are probabilities ("all_classes" first, which estimators give) as the names of the columns.
 */
export const readPredictions: PredictionReader = (reply, inputs, address) => {
  const { predictions: rows } = checkReply(predictions, reply, address);
  if (rows.length === inputs && rows.every((each) => typeof each === 'string')) {
    return { answers: rows };
  }
  const read = rows.map((each) => readRow(each, address));
  const labelled = read.every(({ label }) => label !== undefined);
  const given = read.every(({ probabilities }) => probabilities !== undefined);
  const first = read[0]?.columns;
  const same = read.every(({ columns }) => columns?.join('\n') === first?.join('\n'));
  return {
    ...(labelled && rows.length > 0 && { answers: read.map(({ label }) => label!) }),
    ...(given && same && { labels: first, probabilities: read.map((each) => each.probabilities!) }),
    ...(given && !same && { named: read.map((each) => zip(each, address)) }),
    came: rows.slice(0, 1).flatMap((each) => (typeof each === 'object' ? Object.keys(each) : [])),
  };
};

/** Reads the reply of `:classify`: for each example a list of pairs of a label and its score. */
export const readClassifications: PredictionReader = (reply, _inputs, address) => {
  const rows = checkReply(classifications, reply, address);
  return {
    named: rows.map((pairs) => {
      const entries = pairs.map((pair) => scoredLabel(pair));
      const map = new Map(entries.filter((entry) => entry !== undefined));
      if (map.size === pairs.length && !map.has('')) return map;
      throw invalidAnswer(address, 'has classes without a label, or twice', withLabels);
    }),
  };
};

const withLabels = 'export the model with its vocabulary of classes, or ask :predict';

interface Row {
  readonly label?: string | undefined;
  readonly probabilities?: readonly unknown[] | undefined;
  readonly columns?: readonly string[] | undefined;
}

function readRow(given: unknown, address: string): Row {
  if (Array.isArray(given)) return { probabilities: given };
  if (typeof given !== 'object' || given === null) return { label: String(given) };
  const outputs = new Map(Object.entries(given));
  const probabilities = probabilitiesOf(outputs);
  const width = probabilities?.length;
  const columns = ['all_classes', 'classes', 'labels', 'class_names']
    .map((each) => names.safeParse(outputs.get(each)).data)
    .find((each) => each !== undefined && each.length === width && width > 1);
  const label = ['label', 'labels', 'class', 'classes']
    .map((each) => oneName.safeParse(outputs.get(each)).data)
    .find((each) => each !== undefined);
  if (label === undefined && probabilities === undefined) {
    const came = [...outputs.keys()].slice(0, 8).map(shown).join(', ');
    throw invalidAnswer(
      address,
      `holds neither probabilities nor a label, only ${came}`,
      'name an output "probabilities" or "label", or ask another with ?signature=NAME',
    );
  }
  return { label, probabilities, columns };
}

function probabilitiesOf(outputs: ReadonlyMap<string, unknown>): readonly unknown[] | undefined {
  const lists = [...outputs].filter(([, value]) => isNumbers(value));
  const named = ['probabilities', 'scores', 'softmax'].find((each) =>
    lists.some(([output]) => output === each),
  );
  const [only, ...others] = lists;
  const value = named === undefined && others.length === 0 ? only?.[1] : outputs.get(named ?? '');
  return Array.isArray(value) ? value : undefined;
}

function isNumbers(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 1 && value.every((each) => typeof each === 'number')
  );
}

function zip({ probabilities = [], columns }: Row, address: string): ReadonlyMap<string, unknown> {
  const map = new Map(probabilities.map((value, column) => [columns?.[column] ?? '', value]));
  if (map.size === probabilities.length && !map.has('')) return map;
  throw invalidAnswer(address, 'has rows of probabilities with labels and without', withLabels);
}
