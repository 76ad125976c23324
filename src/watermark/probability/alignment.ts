import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { centredLogs, normalise, testingFloor } from './distribution.ts';

/** Temperatures tried, 0.25 to 4 in steps of about 7%. */
const temperatures = Array.from({ length: 41 }, (_, index) => 4 ** ((index - 20) / 20));

/** Probes on which temperatures are compared. */
const temperatureProbes = 400;

/**
 * How a suspect's log-probabilities relate to those of the baselines: one temperature, then per
 * class an intercept and one slope per baseline. Frozen after it was fitted.
 */
export interface Alignment {
  readonly temperature: number;
  /** Per class: intercept first, then one slope per baseline. */
  readonly coefficients: readonly Float64Array[];
}

/** One probe's baselines: for each baseline model, its `readingLogs` [classes]. */
export type Baselines = readonly ArrayLike<number>[];

/** A suspect's answer to one probe, unfloored, and the probe's baselines. */
export interface AlignedAnswer {
  readonly suspect: ArrayLike<number>;
  readonly baselines: Baselines;
}

/** The centred log-probabilities of a distribution, floored for testing. */
export function readingLogs(distribution: ArrayLike<number>): Float64Array {
  return centredLogs(floored(distribution));
}

/**
 * Fits the suspect's temperature on a grid, then a diagonal weighted least-squares regression of
 * its centred log-probabilities on those of the baselines.
 *
 * The temperature comes before the floor: a floor on sharpened probabilities removes what the mark
 * changed. The regression is per class (a full matrix would absorb the mark). It sees no key, so
 * that residuals are independent of the signs under the null.
 */
export function fitAlignment(answers: readonly AlignedAnswer[]): Alignment {
  const temperature = fitTemperature(answers);
  const classes = answers[0]?.suspect.length ?? 0;
  const size = (answers[0]?.baselines.length ?? 0) + 1;
  const systems = Array.from({ length: classes }, () => new Float64Array(size * (size + 1)));
  const row = new Float64Array(size + 1);
  row[0] = 1;
  for (const { suspect, baselines } of answers) {
    const distribution = sharpen(suspect, temperature);
    const logs = centredLogs(distribution);
    for (let k = 0; k < classes; k += 1) {
      const weight = readingWeight(distribution[k]!) ** 2;
      for (let b = 0; b < baselines.length; b += 1) row[b + 1] = baselines[b]![k]!;
      row[size] = logs[k]!;
      accumulate(systems[k]!, row, weight);
    }
  }
  const ridge = 1e-6 * (answers.length + 1);
  return { temperature, coefficients: systems.map((system) => solve(system, size, ridge)) };
}

/**
 * What the baselines leave unexplained of one answer: weighted residuals [classes] of the centred
 * log-probabilities.
 */
export function residual(
  { suspect, baselines }: AlignedAnswer,
  alignment: Alignment,
): Float64Array {
  const distribution = sharpen(suspect, alignment.temperature);
  const logs = centredLogs(distribution);
  for (let k = 0; k < logs.length; k += 1) {
    const coefficients = alignment.coefficients[k]!;
    let expected = coefficients[0]!;
    for (let b = 0; b < baselines.length; b += 1) {
      expected += coefficients[b + 1]! * baselines[b]![k]!;
    }
    logs[k] = readingWeight(distribution[k]!) * (logs[k]! - expected);
  }
  return logs;
}

function fitTemperature(answers: readonly AlignedAnswer[]): number {
  const stride = Math.max(1, Math.floor(answers.length / temperatureProbes));
  let best = { temperature: 1, misfit: Number.POSITIVE_INFINITY };
  for (const temperature of temperatures) {
    let misfit = 0;
    for (let index = 0; index < answers.length; index += stride) {
      const { suspect, baselines } = answers[index]!;
      const reference = baselines[0];
      if (reference === undefined) continue;
      const logs = readingLogs(heat(suspect, temperature));
      for (let k = 0; k < logs.length; k += 1) misfit += (logs[k]! - reference[k]!) ** 2;
    }
    if (misfit < best.misfit) best = { temperature, misfit };
  }
  return best.temperature;
}

/**
 * The weight of a class in an answer, (p(1 - p))^(1/4): log-probabilities of classes that the
 * suspect is sure about, or never trained on, are mostly noise.
 */
function readingWeight(p: number): number {
  return Math.sqrt(Math.sqrt(p * (1 - p) + testingFloor));
}

function sharpen(row: ArrayLike<number>, temperature: number): Float64Array {
  return floored(heat(row, temperature));
}

function heat(row: ArrayLike<number>, temperature: number): Float64Array {
  const exponent = 1 / temperature;
  const powers = new Float64Array(row.length);
  for (let k = 0; k < row.length; k += 1) powers[k] = Math.max(row[k]!, 1e-30) ** exponent;
  return normalise(powers);
}

function floored(row: ArrayLike<number>): Float64Array {
  const raised = new Float64Array(row.length);
  for (let k = 0; k < row.length; k += 1) raised[k] = Math.max(row[k]!, testingFloor);
  return normalise(raised);
}

/** Adds weight * row row^T to normal equations [size, size + 1] whose last column is the response. */
function accumulate(system: Float64Array, row: Float64Array, weight: number): void {
  const width = row.length;
  for (let i = 0; i < width - 1; i += 1) {
    const scaled = weight * row[i]!;
    for (let j = 0; j < width; j += 1) system[i * width + j]! += scaled * row[j]!;
  }
}

/** Solves normal equations; the small ridge keeps constant references solvable. */
function solve(system: Float64Array, size: number, ridge: number): Float64Array {
  const normal = Matrix.zeros(size, size);
  const wanted = Matrix.zeros(size, 1);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const entry = system[i * (size + 1) + j]! + (i === j ? ridge : 0);
      normal.set(i, j, entry);
      normal.set(j, i, entry);
    }
    wanted.set(i, 0, system[i * (size + 1) + size]!);
  }
  return Float64Array.from(new CholeskyDecomposition(normal).solve(wanted).to1DArray());
}
