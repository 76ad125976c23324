import type { SparseRows } from '../../src/models/training/sparse-product.ts';

/** What nearest neighbours are sought for, and how many. */
export interface NeighbourSearch {
  readonly rows: SparseRows;
  readonly neighbours: number;
  readonly dimensions: number;
}

/**
 * Returns the k-nearest-neighbours vote (Cover and Hart 1967) of every row: the likeliest class among
 * the k rows of the sample with the largest inner product, the nearest one's where there is a tie.
 */
export function nearestVotes(
  known: SparseRows,
  labels: ArrayLike<number>,
  sample: Uint32Array,
  search: NeighbourSearch,
): Uint16Array {
  return Uint16Array.from(nearestClasses(known, labels, sample, search), vote);
}

/** Returns the share of the vote that each class gets, row-major [rows, classes]. */
export function nearestShares(
  known: SparseRows,
  labels: ArrayLike<number>,
  sample: Uint32Array,
  search: NeighbourSearch & { readonly classes: number },
): Float32Array {
  const nearest = nearestClasses(known, labels, sample, search);
  const shares = new Float32Array(nearest.length * search.classes);
  nearest.forEach((voters, row) => {
    for (const label of voters) shares[row * search.classes + label]! += 1 / voters.length;
  });
  return shares;
}

function nearestClasses(
  known: SparseRows,
  labels: ArrayLike<number>,
  sample: Uint32Array,
  { rows, neighbours, dimensions }: NeighbourSearch,
): number[][] {
  const norms = Float64Array.from(sample, (row) => squareOf(known, row));
  const dense = new Float64Array(dimensions);
  return Array.from({ length: rows.offsets.length - 1 }, (_, row) => {
    dense.fill(0);
    for (let entry = rows.offsets[row]!; entry < rows.offsets[row + 1]!; entry += 1)
      dense[rows.indices[entry]!] = rows.values[entry]!;
    const nearest: { place: number; distance: number }[] = [];
    for (let place = 0; place < sample.length; place += 1) {
      const distance = norms[place]! - 2 * dot(dense, known, sample[place]!);
      if (nearest.length === neighbours && distance >= nearest[neighbours - 1]!.distance) continue;
      const behind = nearest.findIndex((other) => other.distance > distance);
      nearest.splice(behind < 0 ? nearest.length : behind, 0, { place, distance });
      nearest.length = Math.min(nearest.length, neighbours);
    }
    return nearest.map(({ place }) => labels[sample[place]!]!);
  });
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
