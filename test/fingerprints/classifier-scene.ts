import {
  type ClassifierAnswers,
  noAnswer,
  unknownCrossing,
} from '../../src/fingerprints/classifier-answers.ts';
import type { ClassifierProbeSet } from '../../src/fingerprints/probe-set.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

/** A probe set of made-up questions in three classes. */
export function probeSet(questions = 40): ClassifierProbeSet {
  return {
    schema: 'touchmark/probe-set@1',
    task: 'classify',
    name: 'made up',
    labels: ['a', 'b', 'c'],
    questions: Array.from({ length: questions }, (_, index) => ({
      input: `question ${index} ${'x'.repeat(index % 7)}`,
      expected: index % 3,
      ...(index % 5 === 0 && { slices: ['rare' as const] }),
      ...(index % 4 === 0 && { slices: ['hard' as const] }),
    })),
    pairs: [
      [0, 1],
      [1, 2],
      [3, 5],
    ],
    depth: 6,
    repeated: 5,
    timed: 8,
  };
}

/** A made-up model that is right with some chance and has probabilities of its own. */
export function answersOf(seed: string, { questions, labels, pairs }: ClassifierProbeSet) {
  const random = seededRandom(seed);
  const probabilities = new Float32Array(questions.length * labels.length);
  const choices = questions.map(({ expected = 0 }, question) => {
    const scores = labels.map((_, label) => random.normal() + (label === expected ? 1 : 0));
    const powers = scores.map(Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    probabilities.set(
      powers.map((power) => power / sum),
      question * labels.length,
    );
    return scores.indexOf(Math.max(...scores));
  });
  const found = Int16Array.from(choices);
  return {
    labels: found,
    again: found.slice(0, 5),
    probabilities,
    crossings: Float32Array.from(pairs, () => random.uniform()),
    milliseconds: Float32Array.from({ length: 24 }, () => 5 + random.uniform()),
  } satisfies ClassifierAnswers;
}

/** The same answers without those to every second question. */
export function halved(answers: ClassifierAnswers): ClassifierAnswers {
  return {
    ...answers,
    labels: answers.labels.map((label, question) => (question % 2 === 0 ? label : noAnswer)),
    crossings: answers.crossings.map((place, pair) => (pair % 2 === 0 ? place : unknownCrossing)),
  };
}

/** What a model gives that tells labels only. */
export function labelsOnly({ labels, again, crossings }: ClassifierAnswers): ClassifierAnswers {
  return { labels, again, crossings };
}
