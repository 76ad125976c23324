import { TrainingMemory } from '../../src/models/training/kernel/instance.ts';
import { paddedUnits, placeRows } from '../../src/models/training/layers.ts';
import type { SparseRows } from '../../src/models/training/sparse-product.ts';

/** What nearest neighbours are sought for, and how many. */
export interface NeighbourSearch {
  readonly rows: SparseRows;
  readonly neighbours: number;
  readonly dimensions: number;
}

/**
 * Returns the k-nearest-neighbours vote (Cover and Hart 1967) of every row: the most frequent of its
 * neighbours' classes, the nearest one's where there is a tie.
 */
export function votesOf(nearest: readonly (readonly number[])[]): Uint16Array {
  return Uint16Array.from(nearest, vote);
}

/** Returns the share of the vote that each class gets, row-major [rows, classes]. */
export function sharesOf(nearest: readonly (readonly number[])[], classes: number): Float32Array {
  const shares = new Float32Array(nearest.length * classes);
  nearest.forEach((voters, row) => {
    for (const label of voters) shares[row * classes + label]! += 1 / voters.length;
  });
  return shares;
}

/** Candidates beyond the neighbours, so that no rounding of the kernel's float32 hides one. */
const spare = 8;
const rowsAtOnce = 64;

/**
 * Returns the classes of the k rows of the sample that are nearest to every row, nearest first.
 * The kernel finds candidates; exact distances rank them, the earlier in the sample first.
 */
export function nearestClasses(
  known: SparseRows,
  labels: ArrayLike<number>,
  sample: Uint32Array,
  search: NeighbourSearch,
): number[][] {
  const { rows, neighbours, dimensions } = search;
  const norms = Float64Array.from(sample, (row) => squareOf(known, row));
  const dense = new Float64Array(dimensions);
  const nearest: number[][] = [];
  visitProducts(known, sample, norms, search, (row, scores) => {
    dense.fill(0);
    for (let entry = rows.offsets[row]!; entry < rows.offsets[row + 1]!; entry += 1)
      dense[rows.indices[entry]!] = rows.values[entry]!;
    const ranked = largestOf(scores, Math.min(sample.length, neighbours + spare))
      .map((place) => ({ place, distance: norms[place]! - 2 * dot(dense, known, sample[place]!) }))
      .sort((one, two) => one.distance - two.distance || one.place - two.place);
    nearest.push(ranked.slice(0, neighbours).map(({ place }) => labels[sample[place]!]!));
  });
  return nearest;
}

/** Visits, for every row, half of what its distance to each of the sample falls short of its norm. */
function visitProducts(
  known: SparseRows,
  sample: Uint32Array,
  norms: Float64Array,
  { rows, dimensions }: NeighbourSearch,
  visit: (row: number, scores: Float32Array) => void,
): void {
  const units = paddedUnits(sample.length);
  const sizes = [rows.offsets.length, rows.indices.length, rows.values.length, rowsAtOnce];
  const memory = new TrainingMemory([...sizes, (dimensions + 1) * units, rowsAtOnce * units]);
  const placed = placeRows(memory, rows);
  const order = memory.integers(rowsAtOnce);
  const weights = memory.floats((dimensions + 1) * units);
  sample.forEach((row, place) => {
    for (let entry = known.offsets[row]!; entry < known.offsets[row + 1]!; entry += 1)
      weights[known.indices[entry]! * units + place] = known.values[entry]!;
    weights[dimensions * units + place] = -norms[place]! / 2;
  });
  const out = memory.floats(rowsAtOnce * units);
  const [table, to] = [weights.byteOffset, out.byteOffset];
  const total = rows.offsets.length - 1;
  for (let start = 0; start < total; start += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, total - start);
    for (let row = 0; row < count; row += 1) order[row] = start + row;
    memory.kernel.sumRows(order.byteOffset, count, ...placed, table, dimensions, units, to);
    for (let row = 0; row < count; row += 1)
      visit(start + row, out.subarray(row * units, row * units + sample.length));
  }
}

/** The places of the largest scores, in no order. */
function largestOf(scores: Float32Array, count: number): number[] {
  const places = Array.from({ length: count }, (_, place) => place);
  const least = () =>
    places.reduce((low, place, at) => (scores[place]! < scores[places[low]!]! ? at : low), 0);
  let lowest = least();
  let bound = scores[places[lowest]!]!;
  for (let place = count; place < scores.length; place += 1) {
    if (scores[place]! <= bound) continue;
    places[lowest] = place;
    lowest = least();
    bound = scores[places[lowest]!]!;
  }
  return places;
}

function vote(classes: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of classes) counts.set(label, (counts.get(label) ?? 0) + 1);
  return classes.reduce((best, label) => (counts.get(label)! > counts.get(best)! ? label : best));
}

function dot(dense: Float64Array, rows: SparseRows, row: number): number {
  let sum = 0;
  for (let entry = rows.offsets[row]!; entry < rows.offsets[row + 1]!; entry += 1)
    sum += dense[rows.indices[entry]!]! * rows.values[entry]!;
  return sum;
}

function squareOf(rows: SparseRows, row: number): number {
  let sum = 0;
  for (let entry = rows.offsets[row]!; entry < rows.offsets[row + 1]!; entry += 1)
    sum += rows.values[entry]! ** 2;
  return sum;
}
