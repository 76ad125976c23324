import type { TensorInput } from '../../contracts.ts';

/** An array of arrays of numbers, as deep as the tensor has dimensions. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Returns a tensor as nested arrays; a tensor of shape [] as one number. */
export function nest({ shape, data }: TensorInput): NestedNumbers {
  let level: readonly NestedNumbers[] = Array.from(data);
  for (const length of shape.slice(1).reverse()) {
    level = Array.from({ length: level.length / length }, (_, row) =>
      level.slice(row * length, (row + 1) * length),
    );
  }
  return shape.length === 0 ? level[0]! : level;
}

/**
 * Returns the elements of nested or already flat arrays in row-major order, unchecked, or undefined
 * when their number or their nesting is not that of `shape`.
 */
export function flatten(data: readonly unknown[], shape: readonly number[]): unknown[] | undefined {
  const size = shape.reduce((product, length) => product * length, 1);
  if (data.length === size && !data.some(Array.isArray)) return [...data];
  let level: readonly unknown[] = [data];
  for (const length of shape) {
    if (!level.every((entry) => Array.isArray(entry) && entry.length === length)) return undefined;
    level = level.flat(1);
  }
  return level.some(Array.isArray) ? undefined : [...level];
}
