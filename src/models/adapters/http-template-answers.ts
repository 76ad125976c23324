import { z } from 'zod';
import { shown } from './excerpt.ts';
import type { AnswerPointers } from './http-template.ts';
import { atPointer } from './http-template-pointer.ts';
import { checkReply, invalidAnswer, wireLabel, wireLabels } from './replies.ts';
import type { WireAnswers } from './wire-answers.ts';

/** The names under which APIs give the parts of a scored label. */
const labelNames = ['label', 'class', 'className', 'name', 'category', 'tag'] as const;
const scoreNames = ['probability', 'score', 'confidence', 'prob', 'value'] as const;

interface Row {
  readonly label?: string | null;
  readonly scores?: readonly unknown[] | ReadonlyMap<string, unknown> | null;
  readonly classNames?: readonly string[];
}

/**
 * Returns the answers that stand where the pointers lead. Null in the place of a label or of
 * probabilities is a refusal; `address` as it may be shown.
 *
 * @throws SUSPECT_ANSWER_INVALID naming the pointer that leads to nothing, or to what it must not
 */
export function answersAt(
  document: unknown,
  pointers: AnswerPointers,
  { single, address }: { readonly single: boolean; readonly address: string },
): WireAnswers {
  const reading = new Reading(address);
  if (single) return merged([reading.row(document, pointers)], pointers, reading);
  if (pointers.rows !== undefined) {
    const rows = reading.list(document, 'rows', pointers.rows);
    return merged(
      rows.map((each) =>
        each === null ? { label: null, scores: null } : reading.row(each, pointers),
      ),
      pointers,
      reading,
    );
  }
  const { labels, probabilities, classNames } = pointers;
  const answers = labels === undefined ? undefined : reading.list(document, 'labels', labels);
  const scores =
    probabilities === undefined
      ? undefined
      : reading.list(document, 'probabilities', probabilities).map((row) => reading.scores(row));
  const names =
    classNames === undefined ? undefined : reading.names(document, 'classNames', classNames);
  return {
    ...(answers && { answers: answers.map((label) => reading.label(label)) }),
    ...(scores && reading.rows(scores, names)),
  };
}

function merged(rows: readonly Row[], pointers: AnswerPointers, reading: Reading): WireAnswers {
  const names = rows.find(({ classNames }) => classNames !== undefined)?.classNames;
  const aligned = rows.map(({ scores = null, classNames }) =>
    Array.isArray(scores) && classNames && classNames.join('\0') !== names?.join('\0')
      ? pairUp(classNames, scores)
      : scores,
  );
  const mixed = aligned.some((scores) => scores instanceof Map);
  const columns = mixed && names ? aligned.map((each) => paired(each, names)) : aligned;
  return {
    ...(pointers.label !== undefined && { answers: rows.map(({ label = null }) => label) }),
    ...(pointers.probabilities !== undefined && reading.rows(columns, mixed ? undefined : names)),
  };
}

type Scores = readonly unknown[] | ReadonlyMap<string, unknown> | null;

function paired(scores: Scores, names: readonly string[]): Scores {
  return Array.isArray(scores) ? pairUp(names, scores) : scores;
}

function pairUp(names: readonly string[], scores: readonly unknown[]): Scores {
  return new Map(scores.map((score, column) => [names[column] ?? `(column ${column})`, score]));
}

/** Reads parts of one document that nobody vouches for. */
class Reading {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  row(item: unknown, { label, probabilities, classNames }: AnswerPointers): Row {
    return {
      ...(label !== undefined && { label: this.label(this.#at(item, 'label', label)) }),
      ...(probabilities !== undefined && {
        scores: this.scores(this.#at(item, 'probabilities', probabilities)),
      }),
      ...(classNames !== undefined && {
        classNames: this.names(item, 'classNames', classNames),
      }),
    };
  }

  list(document: unknown, name: string, pointer: string): readonly unknown[] {
    const value = this.#at(document, name, pointer);
    if (Array.isArray(value)) return value;
    throw this.#misfit(name, pointer, value, 'a list');
  }

  names(document: unknown, name: string, pointer: string): readonly string[] {
    return checkReply(wireLabels, this.#at(document, name, pointer), this.#address);
  }

  label(value: unknown): string | null {
    return checkReply(
      wireLabel.nullable(),
      typeof value === 'number' ? `${value}` : value,
      this.#address,
    );
  }

  scores(value: unknown): Scores {
    if (value === null) return null;
    if (Array.isArray(value)) {
      const pairs = value.map(scoredLabel);
      return value.length > 0 && pairs.every((pair) => pair !== undefined)
        ? this.#map(pairs)
        : value;
    }
    if (typeof value === 'object') return this.#map(Object.entries(value ?? {}));
    throw invalidAnswer(
      this.#address,
      `gives ${shown(value)} in the place of probabilities`,
      'the pointer "probabilities" must lead to numbers, or to labels with their scores',
    );
  }

  /** Returns rows of probabilities in one of the two forms that answers have. */
  rows(scores: readonly Scores[], names: readonly string[] | undefined): WireAnswers {
    if (!scores.some((each) => each instanceof Map)) {
      return { labels: names, probabilities: scores as readonly (readonly unknown[] | null)[] };
    }
    if (scores.every((each) => each === null || each instanceof Map)) {
      return { named: scores as readonly (ReadonlyMap<string, unknown> | null)[] };
    }
    throw invalidAnswer(
      this.#address,
      'gives some rows of probabilities with labels and others without',
      'the pointer "probabilities" must lead to rows of one form',
    );
  }

  #map(pairs: readonly (readonly [string, unknown])[]): ReadonlyMap<string, unknown> {
    const map = new Map<string, unknown>();
    for (const [label, score] of pairs) {
      const name = checkReply(wireLabel, label, this.#address);
      if (map.has(name)) {
        throw invalidAnswer(
          this.#address,
          `gives ${shown(name)} twice in one row`,
          'each label once',
        );
      }
      map.set(name, score);
    }
    return map;
  }

  #at(document: unknown, name: string, pointer: string): unknown {
    const value = atPointer(document, pointer);
    if (value !== undefined) return value;
    throw this.#misfit(name, pointer, value, 'something');
  }

  #misfit(name: string, pointer: string, value: unknown, wanted: string) {
    return invalidAnswer(
      this.#address,
      `has ${value === undefined ? 'nothing' : shown(value)} at "${pointer}"`,
      `answers.${name} must lead to ${wanted}: look at one answer of the API`,
    );
  }
}

const text = z.union([z.string(), z.number().transform(String)]);

/** Returns the label and the score of one entry of a list such as `[{"label": "en", "score": 0.9}]`. */
export function scoredLabel(entry: unknown): readonly [string, unknown] | undefined {
  if (Array.isArray(entry)) {
    return entry.length === 2 && typeof entry[0] === 'string' ? [entry[0], entry[1]] : undefined;
  }
  if (typeof entry !== 'object' || entry === null) return undefined;
  const part = (names: readonly string[]) => {
    const name = names.find((each) => Object.hasOwn(entry, each));
    return name === undefined ? undefined : (entry as Record<string, unknown>)[name];
  };
  const label = text.safeParse(part(labelNames));
  const score = part(scoreNames);
  return label.success && score !== undefined ? [label.data, score] : undefined;
}
