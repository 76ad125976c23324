import type { ClassifierAnswers } from '../classifier-answers.ts';
import type { ClassifierProbeSet } from '../probe-set.ts';
import type { Quirk } from '../quirk.ts';

/** Which label a model gives to each question. */
export const labelChoices: Quirk<'classify'> = {
  name: 'label-choices',
  task: 'classify',
  meaning: 'Which label it gives to each question.',
  extract: (answers, probes) => choicesAt(answers, probes, [...probes.questions.keys()]),
  compare: sharedChoices,
};

/**
 * Returns the labels of some questions as indicators, row-major [questions, classes]; NaN without an
 * answer, and for a label outside the set, which is no answer of this task.
 */
export function choicesAt(
  { labels }: ClassifierAnswers,
  { labels: classes }: ClassifierProbeSet,
  questions: readonly number[],
): Float64Array {
  const choices = new Float64Array(questions.length * classes.length);
  questions.forEach((question, row) => {
    const label = labels[question]!;
    const from = row * classes.length;
    if (label >= 0) choices[from + label] = 1;
    else choices.fill(Number.NaN, from, from + classes.length);
  });
  return choices;
}

/** Returns the share of labels that two models have in common, of those that both gave. */
export function sharedChoices(one: Float64Array, two: Float64Array): number {
  let [ones, twos, both] = [0, 0, 0];
  for (let place = 0; place < one.length; place += 1) {
    const [x, y] = [one[place]!, two[place]!];
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    ones += x;
    twos += y;
    both += x * y;
  }
  const most = Math.max(ones, twos);
  return most > 0 ? both / most : 0;
}
