import { z } from 'zod';
import type { ServedAnswer, ServedModel } from '../answering.ts';
import { unusable } from './upstream-connection.ts';

/** An answer as it came: the rows of probabilities, and how it is written with other ones. */
export interface WireRows {
  readonly clean: readonly (readonly number[])[];
  write(answers: readonly ServedAnswer[]): object;
}

type Row = readonly number[] | Readonly<Record<string, unknown>>;
const predicted = z.object({
  predictions: z.array(z.union([z.array(z.number()), z.record(z.string(), z.unknown())])),
});
const classified = z.object({
  results: z.array(z.array(z.tuple([z.string(), z.number()]))),
});
const probabilityNames = ['probabilities', 'scores', 'softmax'];
const labelNames = ['label', 'class', 'class_id', 'class_ids'];

/**
 * Reads `{"predictions": [...]}`: rows of probabilities, or objects with such a row under
 * "probabilities", "scores", "softmax" or as their only list of numbers.
 *
 * @throws TouchmarkError UPSTREAM_ANSWER_INVALID
 */
export function readPredicted(body: unknown, inputs: number, model: ServedModel): WireRows {
  const { data } = predicted.safeParse(body);
  if (data === undefined || data.predictions.length !== inputs) {
    throw unusable(`has no predictions for ${inputs} instances`);
  }
  const rows: readonly Row[] = data.predictions;
  const names = rows.map((row) => probabilityName(row, model.labels.length));
  return {
    clean: rows.map((row, index) => probabilitiesOf(row, names[index])),
    write: (answers) => ({
      predictions: rows.map((row, index) => writeRow(row, names[index], answers[index]!, model)),
    }),
  };
}

/**
 * Reads `{"results": [[[label, score], ...], ...]}`, each list with every label of the model.
 *
 * @throws TouchmarkError UPSTREAM_ANSWER_INVALID
 */
export function readClassified(body: unknown, inputs: number, model: ServedModel): WireRows {
  const { data } = classified.safeParse(body);
  if (data === undefined || data.results.length !== inputs) {
    throw unusable(`has no results for ${inputs} examples`);
  }
  const clean = data.results.map((pairs) => {
    const scores = new Map(pairs);
    const row = model.labels.map((label) => scores.get(label));
    if (scores.size !== pairs.length || !isComplete(row)) {
      throw unusable('does not score every label of the model once');
    }
    return row;
  });
  const places = new Map(model.labels.map((label, place) => [label, place]));
  return {
    clean,
    write: (answers) => ({
      results: data.results.map((pairs, index) =>
        pairs.map(([label]) => [label, answers[index]!.probabilities[places.get(label)!]]),
      ),
    }),
  };
}

function isComplete(row: readonly (number | undefined)[]): row is readonly number[] {
  return row.every((score) => score !== undefined);
}

/** Where the probabilities of an object stand; undefined for a row that is nothing else. */
function probabilityName(row: Row, width: number): string | undefined {
  if (Array.isArray(row)) return undefined;
  const lists = Object.entries(row)
    .filter(([, value]) => isNumbers(value) && value.length === width)
    .map(([name]) => name);
  const name = probabilityNames.find((each) => lists.includes(each));
  if (name !== undefined) return name;
  if (lists.length === 1) return lists[0];
  throw unusable(`has predictions without one list of ${width} probabilities`);
}

function probabilitiesOf(row: Row, name: string | undefined): readonly number[] {
  const value = Array.isArray(row) ? row : (row as Record<string, unknown>)[name ?? ''];
  return value as readonly number[];
}

/** Labels follow the probabilities; whatever else the model gives is left out. */
function writeRow(
  row: Row,
  name: string | undefined,
  { label, probabilities }: ServedAnswer,
  { labels }: ServedModel,
): Row {
  if (Array.isArray(row) || name === undefined) return probabilities;
  const written: Record<string, unknown> = { [name]: probabilities };
  for (const [key, value] of Object.entries(row)) {
    if (labelNames.includes(key)) written[key] = sameForm(value, label, labels);
    else if (key === 'classes' || key === 'labels') {
      const isList = Array.isArray(value) && value.length === labels.length;
      written[key] = isList ? value : sameForm(value, label, labels);
    }
  }
  return written;
}

/** A label as text or as a number, alone or in a list of one, as the model gave it. */
function sameForm(value: unknown, label: number, labels: readonly string[]): unknown {
  if (Array.isArray(value)) return [sameForm(value[0], label, labels)];
  return typeof value === 'number' ? label : labels[label];
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}
