import { noAnswer } from '../classifier-answers.ts';
import { correlation } from '../likeness.ts';
import type { Quirk } from '../quirk.ts';

/** The mean entropy to which every model is tempered, as a share of its largest possible one. */
const commonEntropy = 0.1;
/** Smaller probabilities are noise of rounding as often as not. */
const floor = 0.01;
const sharpest = 1000;
const halvings = 40;

/**
 * How likely a model finds every label of every question: log-probabilities, centred within each
 * question. Before that the model is tempered (Guo et al. 2017, section 4.2), so that its mean entropy
 * is a tenth of what it can be; a suspect that answers more or less surely is read alike.
 */
export const probabilityLevels: Quirk<'classify'> = {
  name: 'probability-levels',
  task: 'classify',
  meaning: 'How likely it finds every label of every question.',
  extract({ labels, probabilities }, { labels: { length: classes } }) {
    if (probabilities === undefined) return undefined;
    const logs = Float64Array.from(probabilities, (value) => Math.log(Math.max(value, 1e-9)));
    const answered = [...labels.keys()].filter((question) => labels[question] !== noAnswer);
    const sharpness = fitSharpness(logs, answered, classes);
    const levels = new Float64Array(logs.length).fill(Number.NaN);
    const row = new Float64Array(classes);
    for (const question of answered) {
      const from = question * classes;
      temper(logs, from, sharpness, row);
      let mean = 0;
      for (let label = 0; label < classes; label += 1) {
        row[label] = Math.log(Math.max(row[label]!, floor));
        mean += row[label]! / classes;
      }
      for (let label = 0; label < classes; label += 1) levels[from + label] = row[label]! - mean;
    }
    return levels;
  },
  compare: correlation,
};

/** Finds the inverse temperature, in 1/1000..1000, that gives the common mean entropy. */
function fitSharpness(logs: Float64Array, questions: readonly number[], classes: number): number {
  let [low, high] = [1 / sharpest, sharpest];
  const row = new Float64Array(classes);
  const wanted = commonEntropy * Math.log(classes);
  for (let halving = 0; halving < halvings; halving += 1) {
    const middle = Math.sqrt(low * high);
    let entropy = 0;
    for (const question of questions) {
      temper(logs, question * classes, middle, row);
      for (let label = 0; label < classes; label += 1) {
        const share = row[label]!;
        if (share > 0) entropy -= (share * Math.log(share)) / questions.length;
      }
    }
    if (entropy > wanted) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}

/** Writes one question's probabilities at an inverse temperature. */
function temper(logs: Float64Array, from: number, sharpness: number, row: Float64Array): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let label = 0; label < row.length; label += 1)
    largest = Math.max(largest, logs[from + label]!);
  let sum = 0;
  for (let label = 0; label < row.length; label += 1) {
    row[label] = Math.exp(sharpness * (logs[from + label]! - largest));
    sum += row[label]!;
  }
  for (let label = 0; label < row.length; label += 1) row[label]! /= sum;
}
