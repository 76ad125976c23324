import { type ClassifierAnswers, noAnswer } from '../classifier-answers.ts';
import { closeness, correlation } from '../likeness.ts';
import { type ClassifierProbeSet, decodeQuestion } from '../probe-set.ts';
import type { Quirk } from '../quirk.ts';

/** Fewer timed questions have no ranks to speak of. */
const fewest = 8;

/**
 * How the time of an answer goes with its entropy and with the length of the question: Spearman's rank
 * correlations (1904) of the smallest of several times, which the network has disturbed least, each
 * brought to 0..1 by (1 + r) / 2; and the share of the spread of times that lies between askings of
 * the same question, which is the network's own noise. Descriptive: a suspect's machine and load are
 * nobody's quirk.
 */
export const latencyCoupling: Quirk<'classify'> = {
  name: 'latency-coupling',
  task: 'classify',
  meaning: 'How the time of an answer goes with its entropy and with the length of the question.',
  extract(answers, probes) {
    const { milliseconds } = answers;
    const { timed, questions } = probes;
    if (milliseconds === undefined || timed < fewest) return undefined;
    const rounds = milliseconds.length / timed;
    const times = Float64Array.from({ length: timed }, (_, question) =>
      smallest(
        Array.from({ length: rounds }, (_, round) => milliseconds[round * timed + question]!),
      ),
    );
    const lengths = Float64Array.from({ length: timed }, (_, question) =>
      lengthOf(decodeQuestion(questions[question]!.input)),
    );
    const ranks = ranksOf(times);
    const coupling = (values: Float64Array) => (1 + correlation(ranks, ranksOf(values))) / 2;
    return Float64Array.of(
      coupling(entropiesOf(answers, probes)),
      coupling(lengths),
      noiseShare(milliseconds, timed),
    );
  },
  compare: closeness,
};

function lengthOf(input: ReturnType<typeof decodeQuestion>): number {
  return typeof input === 'string' ? input.length : input.data.length;
}

function smallest(times: readonly number[]): number {
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length > 0 ? Math.min(...known) : Number.NaN;
}

function entropiesOf(
  { labels, probabilities }: ClassifierAnswers,
  { timed, labels: { length: classes } }: ClassifierProbeSet,
): Float64Array {
  return Float64Array.from({ length: timed }, (_, question) => {
    if (probabilities === undefined || labels[question] === noAnswer) return Number.NaN;
    const row = probabilities.subarray(question * classes, (question + 1) * classes);
    return row.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
  });
}

/** Ranks from 1, ties sharing their mean; NaN keeps its place. */
function ranksOf(values: Float64Array): Float64Array {
  const known = [...values].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return values.map((value) =>
    Number.isNaN(value) ? value : (known.indexOf(value) + known.lastIndexOf(value)) / 2 + 1,
  );
}

/** The variance of times within questions over that of all times; 1 where there is none. */
function noiseShare(milliseconds: Float32Array, timed: number): number {
  const all = [...milliseconds].filter((time) => !Number.isNaN(time));
  const within = Array.from({ length: timed }, (_, question) =>
    [...milliseconds].filter((time, index) => index % timed === question && !Number.isNaN(time)),
  ).filter(({ length }) => length > 0);
  const total = sumOfSquares(all);
  if (total === 0) return 1;
  return within.reduce((sum, times) => sum + sumOfSquares(times), 0) / total;
}

function sumOfSquares(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
