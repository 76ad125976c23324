import { seededRandom } from '../stats/sampling.ts';
import { type ClassifierAnswers, noCrossing } from './classifier-answers.ts';
import type { ClassifierProbeSet } from './probe-set.ts';

/**
 * Returns the answers of a model that knows nothing: probabilities uniform over all distributions, the
 * label the largest of them, and boundaries anywhere, with none as often as two labels are the same.
 */
export function randomAnswers(
  { questions, labels, pairs, repeated }: ClassifierProbeSet,
  seed: string,
): ClassifierAnswers {
  const random = seededRandom(seed);
  const classes = labels.length;
  const probabilities = new Float32Array(questions.length * classes);
  const choices = questions.map((_, question) => {
    const draws = labels.map(() => -Math.log(1 - random.uniform()));
    const sum = draws.reduce((total, draw) => total + draw, 0);
    const shares = draws.map((draw) => draw / sum);
    probabilities.set(shares, question * classes);
    return shares.indexOf(Math.max(...shares));
  });
  return {
    labels: Int16Array.from(choices),
    again: Int16Array.from({ length: repeated }, () => random.integer(classes)),
    probabilities,
    crossings: Float32Array.from(pairs, () =>
      random.integer(classes) === 0 ? noCrossing : random.uniform(),
    ),
  };
}
