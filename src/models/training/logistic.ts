import type { SparseVector } from '../../watermark/probability/features.ts';

/** Keeps the slope finite where held-out logits separate the sides. */
const ridge = 1e-3;
const longestStep = 5;

/** A row to learn from. */
export interface LabelledRow {
  readonly row: SparseVector;
  readonly positive: boolean;
  /** How often it counts; 1 by default, and not 0 for all rows of a side. */
  readonly weight?: number;
}

export interface LogisticOptions {
  readonly dimensions: number;
  /** Half of this times the squared norm of the weights is added to the mean loss; above 0. */
  readonly penalty?: number;
  readonly iterations?: number;
}

/** A trained classifier: the logit of being positive, for a feature vector. */
export type Logistic = (features: SparseVector) => number;

/**
 * Fits a penalised logistic regression whose two sides weigh equally however many rows they have,
 * by the accelerated gradient method (Nesterov 1983) with steps of 4 / max |row|^2, with which it
 * cannot diverge. Nothing in it is random. Logits are log ratios of densities, shrunken by the
 * penalty.
 *
 * @param examples of both sides
 */
export function trainLogistic(
  examples: readonly LabelledRow[],
  { dimensions, penalty = 1e-3, iterations = 120 }: LogisticOptions,
): Logistic {
  const shareOf = (side: boolean) =>
    0.5 /
    examples.reduce((sum, { positive, weight = 1 }) => (positive === side ? sum + weight : sum), 0);
  const shares = { positive: shareOf(true), negative: shareOf(false) };
  const largest = examples.reduce((most, { row }) => Math.max(most, squaredNorm(row.values)), 0);
  const step = 1 / ((largest + 1) / 4 + penalty);
  const weights = new Float64Array(dimensions + 1);
  const ahead = new Float64Array(dimensions + 1);
  const gradient = new Float64Array(dimensions + 1);
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    gradient.fill(0);
    for (const { row, positive, weight = 1 } of examples) {
      const error = 1 / (1 + Math.exp(-logitOf(row, ahead))) - Number(positive);
      addRow(gradient, row, weight * (positive ? shares.positive : shares.negative) * error);
    }
    const momentum = iteration / (iteration + 3);
    for (let place = 0; place <= dimensions; place += 1) {
      const shrinking = place < dimensions ? penalty * ahead[place]! : 0;
      const next = ahead[place]! - step * (gradient[place]! + shrinking);
      ahead[place] = next + momentum * (next - weights[place]!);
      weights[place] = next;
    }
  }
  return (features) => logitOf(features, weights);
}

/**
 * Returns by how much the logits of rows that a classifier was not fitted on have to be stretched
 * to be log ratios of densities: the slope of a logistic regression on them alone (Platt 1999), by
 * Newton's method; 0 where they point the wrong way.
 */
export function logitSlope(logits: readonly number[], positive: readonly boolean[]): number {
  const positives = positive.filter(Boolean).length;
  let [slope, intercept] = [0, 0];
  for (let iteration = 0; iteration < 20; iteration += 1) {
    let [gradient, shift, curve, cross, flat] = [ridge * slope, ridge * intercept, ridge, 0, ridge];
    logits.forEach((logit, index) => {
      const share = 0.5 / (positive[index] ? positives : logits.length - positives);
      const chance = 1 / (1 + Math.exp(-(slope * logit + intercept)));
      const error = share * (chance - Number(positive[index]));
      const information = share * chance * (1 - chance);
      gradient += error * logit;
      shift += error;
      curve += information * logit * logit;
      cross += information * logit;
      flat += information;
    });
    const determinant = curve * flat - cross * cross;
    slope -= clamp((flat * gradient - cross * shift) / determinant);
    intercept -= clamp((curve * shift - cross * gradient) / determinant);
  }
  return slope > 0 ? slope : 0;
}

function clamp(step: number): number {
  return Math.max(-longestStep, Math.min(longestStep, step));
}

function logitOf({ indices, values }: SparseVector, weights: Float64Array): number {
  let sum = weights[weights.length - 1]!;
  for (let entry = 0; entry < indices.length; entry += 1)
    sum += values[entry]! * weights[indices[entry]!]!;
  return sum;
}

function addRow(gradient: Float64Array, { indices, values }: SparseVector, factor: number): void {
  for (let entry = 0; entry < indices.length; entry += 1)
    gradient[indices[entry]!]! += factor * values[entry]!;
  gradient[gradient.length - 1]! += factor;
}

function squaredNorm(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
