import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Input, Observation, Probe } from '../../contracts.ts';
import type { ClassifierAnswers } from '../../fingerprints/classifier-answers.ts';
import { type ClassifierProbeSet, decodeQuestion } from '../../fingerprints/probe-set.ts';
import { ClassifierTaking } from './classifier-taking.ts';

/** What a model of this process says to some questions. */
export interface Predictions {
  /** Index of a class for each; undefined for one outside the set. */
  readonly labels: ArrayLike<number | undefined>;
  /** Row-major [questions, classes]; absent for a model that gives labels only. */
  readonly probabilities?: Float32Array;
}

export type Predict = (inputs: readonly Input[]) => Predictions;

/** The questions of a probe set, as models read them. */
export function questionsOf({ questions }: ClassifierProbeSet): Input[] {
  return questions.map(({ input }) => decodeQuestion(input));
}

/**
 * Puts a probe set to a model of this process.
 *
 * @param known what it says to the set's questions, where that was computed for many models at once
 */
export async function answersOfModel(
  predict: Predict,
  probes: ClassifierProbeSet,
  known: Predictions = predict(questionsOf(probes)),
): Promise<ClassifierAnswers> {
  const detail = known.probabilities === undefined ? 'labels' : 'probabilities';
  const taking = new ClassifierTaking(probes, detail);
  const count = probes.questions.length;
  const first = taking.next();
  taking.fold(first.map((probe, index) => observe(probe, known, index % count, probes.labels)));
  for (let due = taking.next(); due.length > 0; due = taking.next()) {
    const said = predict(due.map(({ input }) => input));
    taking.fold(due.map((probe, index) => observe(probe, said, index, probes.labels)));
    await nextTurn();
  }
  return taking.answers();
}

/** What no label of a set is called. */
const outside = '';

function observe(
  probe: Probe,
  { labels, probabilities }: Predictions,
  row: number,
  names: readonly string[],
): Observation {
  const label = names[labels[row] ?? -1] ?? outside;
  if (probabilities === undefined) return { probe, answer: { label } };
  const own = probabilities.subarray(row * names.length, (row + 1) * names.length);
  return { probe, answer: { label, probabilities: [...own] } };
}
