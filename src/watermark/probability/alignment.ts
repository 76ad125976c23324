import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { centredLogs, normalise, testingFloor } from './distribution.ts';

/** Temperatures tried, 0.25 to 4 in steps of about 7%. */
const temperatures = Array.from({ length: 41 }, (_, index) => 4 ** ((index - 20) / 20));

/**
 * How a suspect's log-probabilities relate to those of the baselines: one temperature, then per
 * class an intercept and one slope per baseline. Frozen after it was fitted.
 */
export interface Alignment {
  readonly temperature: number;
  /** Per class: intercept first, then one slope per baseline. */
  readonly coefficients: readonly Float64Array[];
}

/** One probe's baselines: for each baseline model, its distribution over the classes. */
export type Baselines = readonly ArrayLike<number>[];

/**
 * Fits the suspect's temperature on a grid, then a diagonal weighted least-squares regression of
 * its centred log-probabilities on those of the baselines.
 *
 * The temperature comes before the floor: a floor on sharpened probabilities removes what the mark
 * changed. The regression is per class (a full matrix would absorb the mark). It sees no key, so
 * that residuals are independent of the signs under the null.
 *
 * @param suspect one distribution [classes] per probe, unfloored.
 * @param baselines the same probes, in the same order.
 */
export function fitAlignment(
  suspect: readonly ArrayLike<number>[],
  baselines: readonly Baselines[],
): Alignment {
  const references = baselines.map((rows) => rows.map((row) => centredLogs(floored(row))));
  let best = { temperature: 1, misfit: Number.POSITIVE_INFINITY };
  const sample = strided(suspect.length, 400);
  for (const temperature of temperatures) {
    let misfit = 0;
    for (const probe of sample) {
      const logs = centredLogs(sharpen(suspect[probe]!, temperature));
      const reference = references[probe]?.[0];
      if (reference === undefined) continue;
      for (let k = 0; k < logs.length; k += 1) misfit += (logs[k]! - reference[k]!) ** 2;
    }
    if (misfit < best.misfit) best = { temperature, misfit };
  }
  const logs = suspect.map((row) => centredLogs(sharpen(row, best.temperature)));
  const weights = suspect.map((row) => readingWeights(sharpen(row, best.temperature)));
  const classes = suspect[0]?.length ?? 0;
  const coefficients = Array.from({ length: classes }, (_, k) =>
    regress(
      logs.map((row) => row[k]!),
      references.map((rows) => rows.map((row) => row[k]!)),
      weights.map((row) => row[k]!),
    ),
  );
  return { temperature: best.temperature, coefficients };
}

/**
 * What the baselines leave unexplained of one answer: weighted residuals [classes] of the centred
 * log-probabilities.
 */
export function residual(
  suspect: ArrayLike<number>,
  baselines: Baselines,
  alignment: Alignment,
): Float64Array {
  const distribution = sharpen(suspect, alignment.temperature);
  const logs = centredLogs(distribution);
  const weights = readingWeights(distribution);
  const references = baselines.map((row) => centredLogs(floored(row)));
  return logs.map((value, k) => {
    const coefficients = alignment.coefficients[k]!;
    let expected = coefficients[0]!;
    for (let b = 0; b < references.length; b += 1)
      expected += coefficients[b + 1]! * references[b]![k]!;
    return weights[k]! * (value - expected);
  });
}

/**
 * The weight of a class in an answer, (p(1 - p))^(1/4): log-probabilities of classes that the
 * suspect is sure about, or never trained on, are mostly noise.
 */
function readingWeights(distribution: Float64Array): Float64Array {
  return distribution.map((p) => (p * (1 - p) + testingFloor) ** 0.25);
}

function sharpen(row: ArrayLike<number>, temperature: number): Float64Array {
  const powers = Float64Array.from(row, (p) => Math.max(p, 1e-30) ** (1 / temperature));
  return floored(normalise(powers));
}

function floored(row: ArrayLike<number>): Float64Array {
  return normalise(Float64Array.from(row, (p) => Math.max(p, testingFloor)));
}

function strided(length: number, most: number): number[] {
  const step = Math.max(1, Math.floor(length / most));
  return Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step);
}

/** Weighted least squares with an intercept; the small ridge keeps constant references solvable. */
function regress(
  response: readonly number[],
  references: readonly (readonly number[])[],
  weights: readonly number[],
): Float64Array {
  const design = new Matrix(
    references.map((row, probe) => [1, ...row].map((x) => x * weights[probe]!)),
  );
  const wanted = Matrix.columnVector(response.map((value, probe) => value * weights[probe]!));
  const normal = design.transpose().mmul(design);
  const ridge = Matrix.eye(normal.rows).mul(1e-6 * (response.length + 1));
  const solution = new CholeskyDecomposition(normal.add(ridge)).solve(
    design.transpose().mmul(wanted),
  );
  return Float64Array.from(solution.to1DArray());
}
