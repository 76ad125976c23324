import { type ClassifierAnswers, noAnswer } from '../classifier-answers.ts';
import { correlation } from '../likeness.ts';
import type { ClassifierProbeSet } from '../probe-set.ts';
import type { Quirk } from '../quirk.ts';

/** Questions whose pairs are looked at, the first of a set. */
const most = 300;

/**
 * Which questions a model answers alike: for each pair the affinity of its two answers (Bhattacharyya
 * 1943), or whether their labels are the same where there are no probabilities. Two models are
 * compared by the correlation of these numbers (representational similarity: Kriegeskorte, Mur and
 * Bandettini 2008).
 */
export const gramStructure: Quirk<'classify'> = {
  name: 'gram-structure',
  task: 'classify',
  meaning: 'Which questions it answers alike.',
  extract(answers, probes) {
    const rows = rowsOf(answers, probes);
    return Float64Array.from(pairsOf(rows));
  },
  compare: correlation,
};

function* pairsOf(rows: readonly Float64Array[]): Iterable<number> {
  for (const [index, one] of rows.entries()) {
    for (let other = 0; other < index; other += 1) {
      const two = rows[other]!;
      let sum = 0;
      for (let label = 0; label < one.length; label += 1) sum += one[label]! * two[label]!;
      yield sum;
    }
  }
}

/** Square roots of the answers to the first questions; NaN for no answer. */
function rowsOf(
  { labels, probabilities }: ClassifierAnswers,
  { labels: { length: classes } }: ClassifierProbeSet,
): Float64Array[] {
  return Array.from(labels.subarray(0, most), (label, question) => {
    if (label === noAnswer) return new Float64Array(classes).fill(Number.NaN);
    if (probabilities === undefined)
      return Float64Array.from({ length: classes }, (_, each) => (each === label ? 1 : 0));
    const from = question * classes;
    return Float64Array.from(probabilities.subarray(from, from + classes), Math.sqrt);
  });
}
