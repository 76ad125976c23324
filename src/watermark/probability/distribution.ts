import { TouchmarkError } from '../../errors.ts';

/** The least probability that a served answer gives a class, so that its logarithm stays finite. */
export const servingFloor = 1e-5;

/** The least probability that a test reads from a suspect. */
export const testingFloor = 1e-4;

const sumTolerance = 1e-3;

/**
 * Returns a model's probabilities as a distribution: each at least `floor`, summing to 1.
 *
 * @throws INPUT_INVALID when a value is not a probability, or the row does not sum to 1 within 1e-3.
 */
export function toDistribution(row: ArrayLike<number>, floor: number): Float64Array {
  const values = Float64Array.from(row);
  let total = 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index]!;
    if (!(value >= -1e-6 && value <= 1 + 1e-6)) throw notProbability(value, index);
    total += value;
    values[index] = Math.max(value, floor);
  }
  if (Math.abs(total - 1) > sumTolerance) {
    throw new TouchmarkError('INPUT_INVALID', `the probabilities sum to ${total}, not to 1`, {
      hint: 'normalise each row over all classes before it is served',
    });
  }
  return normalise(values);
}

function notProbability(value: number, index: number): TouchmarkError {
  return new TouchmarkError(
    'INPUT_INVALID',
    `probability ${value} of class ${index} is not in [0, 1]`,
    { hint: 'give the softmax output, not logits or percentages' },
  );
}

/** Divides by the sum. */
export function normalise(values: Float64Array): Float64Array {
  let total = 0;
  for (let index = 0; index < values.length; index += 1) total += values[index]!;
  const quotients = new Float64Array(values.length);
  for (let index = 0; index < values.length; index += 1) quotients[index] = values[index]! / total;
  return quotients;
}

/** The softmax of a vector of logits. */
export function softmax(logits: Float64Array): Float64Array {
  return softmaxInPlace(logits.slice());
}

/** Turns logits into their softmax, and returns them. */
export function softmaxInPlace(values: Float64Array): Float64Array {
  let highest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index += 1) {
    highest = Math.max(highest, values[index]!);
  }
  let total = 0;
  for (let index = 0; index < values.length; index += 1) {
    values[index] = Math.exp(values[index]! - highest);
    total += values[index]!;
  }
  for (let index = 0; index < values.length; index += 1) values[index]! /= total;
  return values;
}

/** Half the sum of absolute differences: the largest change in the probability of any event. */
export function totalVariation(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < left.length; index += 1)
    sum += Math.abs(left[index]! - right[index]!);
  return sum / 2;
}

/** The classes of the largest and second largest value; ties go to the lower index. */
export function topTwo(values: ArrayLike<number>): readonly [top: number, second: number] {
  let top = 0;
  let second = -1;
  for (let index = 1; index < values.length; index += 1) {
    if (values[index]! > values[top]!) {
      second = top;
      top = index;
    } else if (second < 0 || values[index]! > values[second]!) second = index;
  }
  return [top, second];
}

/** Subtracts the mean of the logarithms: a distribution as zero-mean log-odds. */
export function centredLogs(distribution: ArrayLike<number>): Float64Array {
  const logs = new Float64Array(distribution.length);
  let total = 0;
  for (let index = 0; index < logs.length; index += 1) {
    logs[index] = Math.log(distribution[index]!);
    total += logs[index]!;
  }
  const mean = total / logs.length;
  for (let index = 0; index < logs.length; index += 1) logs[index]! -= mean;
  return logs;
}
