import { TrainingMemory } from './kernel/instance.ts';
import type { SparseRows } from './sparse-product.ts';

/**
 * A classifier in plain numbers: one layer is linear, two have a rectified hidden layer between. A
 * layer is [inputs + 1, units] in row-major order, its last row the bias; `units` is a multiple of 4,
 * and columns of the last layer beyond the classes are 0.
 */
export interface Layers {
  readonly classes: number;
  readonly layers: readonly Layer[];
}

export interface Layer {
  readonly inputs: number;
  readonly units: number;
  readonly weights: Float32Array;
}

/** Returns the number of columns that a layer with so many outputs is stored with. */
export function paddedUnits(units: number): number {
  return Math.ceil(units / 4) * 4;
}

const rowsAtOnce = 512;

/**
 * Returns the class to which each model gives the largest logit, for every row: one list per model.
 * Equal logits go to the first class.
 */
export function labelsOf(models: readonly Layers[], rows: SparseRows): Uint16Array[] {
  const bench = new RowBench(rows, models);
  return models.map((model) => {
    const { classes } = model;
    const labels = new Uint16Array(rows.offsets.length - 1);
    bench.visit(model, (start, count, logits, units) => {
      for (let row = 0; row < count; row += 1) {
        const from = row * units;
        let best = 0;
        for (let label = 1; label < classes; label += 1) {
          if (logits[from + label]! > logits[from + best]!) best = label;
        }
        labels[start + row] = best;
      }
    });
    return labels;
  });
}

/**
 * Returns the probabilities that each model gives every row, row-major [rows, classes]: the softmax
 * of its logits over the classes, in float32. One list per model.
 */
export function probabilitiesOf(models: readonly Layers[], rows: SparseRows): Float32Array[] {
  const bench = new RowBench(rows, models);
  return models.map((model) => {
    const { classes } = model;
    const probabilities = new Float32Array((rows.offsets.length - 1) * classes);
    bench.visit(model, (start, count, logits, units) => {
      for (let row = 0; row < count; row += 1) {
        const to = (start + row) * classes;
        writeSoftmax(logits, row * units, probabilities, to, classes);
      }
    });
    return probabilities;
  });
}

function writeSoftmax(
  logits: Float32Array,
  from: number,
  probabilities: Float32Array,
  to: number,
  classes: number,
): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let label = 0; label < classes; label += 1)
    largest = Math.max(largest, logits[from + label]!);
  let total = 0;
  for (let label = 0; label < classes; label += 1) {
    const power = Math.exp(logits[from + label]! - largest);
    probabilities[to + label] = power;
    total += power;
  }
  for (let label = 0; label < classes; label += 1) probabilities[to + label]! /= total;
}

/** Rows, and room for any of some models, in one memory. */
class RowBench {
  readonly #memory: TrainingMemory;
  readonly #rows: readonly [number, number, number];
  readonly #count: number;
  readonly #order: Uint32Array;
  readonly #weights: readonly [Float32Array, Float32Array];
  readonly #inner: Float32Array;
  readonly #outer: Float32Array;

  constructor(rows: SparseRows, models: readonly Layers[]) {
    const largest = (size: (layer: Layer) => number, place: 0 | 1) =>
      models.reduce((most, { layers }) => {
        const layer = layers[place];
        return layer === undefined ? most : Math.max(most, size(layer));
      }, 0);
    const weights = ([0, 1] as const).map((place) =>
      largest((layer) => layer.weights.length, place),
    );
    const [inner, outer] = ([0, 1] as const).map(
      (place) => rowsAtOnce * largest(({ units }) => units, place),
    );
    const memory = new TrainingMemory([
      ...[rows.offsets.length, rows.indices.length, rows.values.length, rowsAtOnce],
      ...[...weights, inner!, outer!],
    ]);
    this.#memory = memory;
    this.#rows = placeRows(memory, rows);
    this.#count = rows.offsets.length - 1;
    this.#order = memory.integers(rowsAtOnce);
    this.#weights = [memory.floats(weights[0]!), memory.floats(weights[1]!)];
    this.#inner = memory.floats(inner!);
    this.#outer = memory.floats(outer!);
  }

  visit(
    { layers }: Layers,
    visit: (start: number, count: number, logits: Float32Array, units: number) => void,
  ): void {
    const { kernel } = this.#memory;
    const [first, second] = layers as readonly [Layer, Layer?];
    layers.forEach(({ weights }, place) => {
      this.#weights[place as 0 | 1].set(weights);
    });
    const [order, inner, outer] = [this.#order, this.#inner, this.#outer].map(
      ({ byteOffset }) => byteOffset,
    ) as [number, number, number];
    const [one, two] = this.#weights;
    for (let start = 0; start < this.#count; start += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, this.#count - start);
      for (let row = 0; row < count; row += 1) this.#order[row] = start + row;
      const { inputs, units } = first;
      kernel.sumRows(order, count, ...this.#rows, one.byteOffset, inputs, units, inner);
      if (second !== undefined) {
        kernel.rectify(inner, count * units);
        kernel.denseRows(inner, count, two.byteOffset, second.inputs, second.units, outer);
      }
      visit(
        start,
        count,
        second === undefined ? this.#inner : this.#outer,
        (second ?? first).units,
      );
    }
  }
}

/** Copies rows into a training memory; returns where their offsets, indices and values are. */
export function placeRows(
  memory: TrainingMemory,
  { offsets, indices, values }: SparseRows,
): readonly [offsets: number, indices: number, values: number] {
  const [places, names] = [memory.integers(offsets.length), memory.integers(indices.length)];
  const numbers = memory.floats(values.length);
  places.set(offsets);
  names.set(indices);
  numbers.set(values);
  return [places.byteOffset, names.byteOffset, numbers.byteOffset];
}
