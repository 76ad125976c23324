import { noAnswer } from '../classifier-answers.ts';
import { correlation } from '../likeness.ts';
import type { Quirk } from '../quirk.ts';

/** The mean entropy to which every model is tempered, as a share of its largest possible one. */
const commonEntropy = 0.1;
/** Smaller probabilities are noise of rounding as often as not. */
const floor = 0.01;
const sharpest = 1000;
const mostSteps = 80;
/** Of the logarithm of the inverse temperature. */
const precision = 1e-9;
/** exp of less adds nothing to a sum of 1 or more. */
const negligible = -40;

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

/**
 * Finds the inverse temperature, in 1/1000..1000, that gives the common mean entropy: Newton's steps on its
 * logarithm, halvings where they would leave the bracket. Entropy falls as sharpness grows.
 */
function fitSharpness(logs: Float64Array, questions: readonly number[], classes: number): number {
  let [low, high] = [-Math.log(sharpest), Math.log(sharpest)];
  const wanted = commonEntropy * Math.log(classes);
  let sharpness = 0;
  for (let step = 0; step < mostSteps && high - low > precision; step += 1) {
    const { entropy, slope } = temperedEntropy(logs, questions, classes, Math.exp(sharpness));
    if (entropy > wanted) low = sharpness;
    else high = sharpness;
    const next = sharpness - (entropy - wanted) / slope;
    const inside = next > low && next < high;
    if (inside && Math.abs(next - sharpness) < precision) return Math.exp(next);
    sharpness = inside ? next : (low + high) / 2;
  }
  return Math.exp(sharpness);
}

/**
 * The mean entropy at an inverse temperature b, log Z - b E[l], and its slope in log b, -b^2 Var[l],
 * where l are log-probabilities less the largest and Z the sum of exp(b l).
 */
function temperedEntropy(
  logs: Float64Array,
  questions: readonly number[],
  classes: number,
  sharpness: number,
): { readonly entropy: number; readonly slope: number } {
  let [entropy, slope] = [0, 0];
  for (const question of questions) {
    const [from, until] = [question * classes, (question + 1) * classes];
    let largest = Number.NEGATIVE_INFINITY;
    for (let place = from; place < until; place += 1) largest = Math.max(largest, logs[place]!);
    let [sum, first, second] = [0, 0, 0];
    for (let place = from; place < until; place += 1) {
      const below = sharpness * (logs[place]! - largest);
      if (below < negligible) continue;
      const share = Math.exp(below);
      sum += share;
      first += share * below;
      second += share * below * below;
    }
    const mean = first / sum;
    entropy += (Math.log(sum) - mean) / questions.length;
    slope -= (second / sum - mean * mean) / questions.length;
  }
  return { entropy, slope };
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
