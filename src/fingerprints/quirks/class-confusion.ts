import { enoughAnswers, noAnswer } from '../classifier-answers.ts';
import type { Quirk } from '../quirk.ts';

/**
 * Which classes a model takes for which others: for each pair of an expected class and a wrong answer
 * the share of answers. A label outside the set is a class of its own. A model that leaves a tenth of
 * the questions unanswered says nothing here.
 */
export const classConfusion: Quirk<'classify'> = {
  name: 'class-confusion',
  task: 'classify',
  meaning: 'Which classes it takes for which others.',
  extract({ labels }, { questions, labels: classes }) {
    if (questions.every(({ expected }) => expected === undefined)) return undefined;
    const columns = classes.length + 1;
    const shares = new Float64Array(classes.length * columns);
    const answered = labels.reduce((count, label) => (label === noAnswer ? count : count + 1), 0);
    if (answered < enoughAnswers * questions.length) return shares.fill(Number.NaN);
    questions.forEach(({ expected }, question) => {
      const label = labels[question]!;
      if (expected === undefined || label === expected || label === noAnswer) return;
      const column = label < 0 ? classes.length : label;
      shares[expected * columns + column]! += 1 / answered;
    });
    return shares;
  },
  compare: affinity,
};

/** The affinity of two distributions of mistakes (Bhattacharyya 1943): 1 when they are the same. */
function affinity(one: Float64Array, two: Float64Array): number {
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  const scale = Math.sqrt(sum(one) * sum(two));
  if (scale === 0) return sum(one) === sum(two) ? 1 : 0;
  const shared = one.reduce((total, value, place) => total + Math.sqrt(value * two[place]!), 0);
  return shared / scale || 0;
}
