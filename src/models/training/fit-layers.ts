import { type SeededRandom, seededRandom } from '../../stats/sampling.ts';
import { TrainingMemory } from './kernel/instance.ts';
import { type Layers, paddedUnits, placeRows } from './layers.ts';
import type { SparseRows } from './sparse-product.ts';

export interface FitOptions {
  /** Length of the feature vectors. */
  readonly dimensions: number;
  readonly classes: number;
  /** Units of the one hidden layer, a multiple of 4; 0 gives a linear model. */
  readonly hidden: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: string;
  /** The rows to learn from, as often as they are named; each once by default. */
  readonly sample?: Uint32Array;
  readonly signal: AbortSignal;
}

/**
 * Trains what `trainNetwork` trains, several times faster: a softmax network on sparse features
 * against soft or one-hot targets, by Adam (Kingma and Ba 2015) on the cross-entropy, with a rate
 * that falls linearly to zero. The same seed and data give the same weights. An abort is noticed
 * after each epoch.
 *
 * @param targets row-major [rows, classes]
 */
export async function fitLayers(
  rows: SparseRows,
  targets: Float32Array,
  options: FitOptions,
): Promise<Layers> {
  const { epochs, batchSize, learningRate, seed, signal } = options;
  const sample = options.sample ?? Uint32Array.from(rows.offsets.subarray(1), (_, row) => row);
  const bench = new FittingBench(rows, targets, options);
  const random = seededRandom(`${seed}/order`);
  const steps = epochs * Math.ceil(sample.length / batchSize);
  const numbers = [...sample];
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const order = random.shuffle(numbers);
    for (let start = 0; start < order.length; start += batchSize) {
      bench.step(order.slice(start, start + batchSize), learningRate * (1 - step / steps));
      step += 1;
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  return bench.layers();
}

interface PlacedLayer {
  readonly inputs: number;
  readonly units: number;
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  readonly moments: readonly [Float32Array, Float32Array];
}

/** Everything of one training in one memory. */
class FittingBench {
  readonly #options: FitOptions;
  readonly #targets: Float32Array;
  readonly #memory: TrainingMemory;
  readonly #rows: readonly [number, number, number];
  readonly #layers: readonly PlacedLayer[];
  readonly #order: Uint32Array;
  readonly #inner: Float32Array;
  readonly #outer: Float32Array;
  readonly #slopes: Float32Array;
  #step = 0;

  constructor(rows: SparseRows, targets: Float32Array, options: FitOptions) {
    this.#options = options;
    this.#targets = targets;
    const { dimensions, hidden, classes, batchSize } = options;
    const outputs = paddedUnits(classes);
    const shapes =
      hidden === 0
        ? [[dimensions, outputs] as const]
        : [[dimensions, hidden] as const, [hidden, outputs] as const];
    const room = batchSize * Math.max(hidden, outputs);
    const memory = new TrainingMemory([
      ...[rows.offsets.length, rows.indices.length, rows.values.length, batchSize],
      ...shapes.flatMap(([inputs, units]) => new Array<number>(4).fill((inputs + 1) * units)),
      ...[room, room, room],
    ]);
    this.#memory = memory;
    this.#rows = placeRows(memory, rows);
    this.#order = memory.integers(batchSize);
    this.#layers = shapes.map(([inputs, units]) => {
      const place = () => memory.floats((inputs + 1) * units);
      const moments = [place(), place()] as const;
      return { inputs, units, weights: place(), gradient: place(), moments };
    });
    [this.#inner, this.#outer, this.#slopes] = [
      memory.floats(room),
      memory.floats(room),
      memory.floats(room),
    ];
    this.#initialise(seededRandom(`${options.seed}/weights`));
  }

  step(batch: readonly number[], rate: number): void {
    const { kernel } = this.#memory;
    const [first, second] = this.#layers as readonly [PlacedLayer, PlacedLayer?];
    const size = batch.length;
    this.#order.set(batch);
    const order = this.#order.byteOffset;
    const [inner, slopes] = [this.#inner.byteOffset, this.#slopes.byteOffset];
    const { byteOffset: weights } = first.weights;
    kernel.sumRows(order, size, ...this.#rows, weights, first.inputs, first.units, inner);
    if (second === undefined) this.#slope(batch, this.#inner, first.units);
    else {
      const outer = this.#outer.byteOffset;
      kernel.rectify(inner, size * first.units);
      const own = [second.weights.byteOffset, second.inputs, second.units] as const;
      kernel.denseRows(inner, size, ...own, outer);
      this.#slope(batch, this.#outer, second.units);
      const { byteOffset: gradient } = second.gradient;
      kernel.denseGradient(inner, size, slopes, second.inputs, second.units, gradient);
      kernel.denseBack(slopes, size, ...own, inner, outer);
    }
    const upstream = second === undefined ? slopes : this.#outer.byteOffset;
    const { byteOffset: gradient } = first.gradient;
    kernel.scatterRows(order, size, ...this.#rows, upstream, first.inputs, first.units, gradient);
    this.#descend(rate);
  }

  layers(): Layers {
    return {
      classes: this.#options.classes,
      layers: this.#layers.map(({ inputs, units, weights }) => ({
        inputs,
        units,
        weights: Float32Array.from(weights),
      })),
    };
  }

  /** Feature vectors have about unit length, so the first layer starts wide. */
  #initialise(random: SeededRandom): void {
    const { hidden, classes } = this.#options;
    if (hidden === 0) return;
    const [first, second] = this.#layers as readonly [PlacedLayer, PlacedLayer];
    const last = first.inputs * first.units;
    for (let at = 0; at < last; at += 1) first.weights[at] = random.normal();
    for (let input = 0; input < hidden; input += 1) {
      for (let label = 0; label < classes; label += 1) {
        second.weights[input * second.units + label] = random.normal() / Math.sqrt(hidden);
      }
    }
  }

  /** Writes the slopes of the mean cross-entropy in the logits. */
  #slope(batch: readonly number[], logits: Float32Array, units: number): void {
    const { classes } = this.#options;
    const slopes = this.#slopes;
    batch.forEach((row, place) => {
      const from = place * units;
      let largest = Number.NEGATIVE_INFINITY;
      for (let label = 0; label < classes; label += 1)
        largest = Math.max(largest, logits[from + label]!);
      let sum = 0;
      for (let label = 0; label < classes; label += 1) {
        const power = Math.exp(logits[from + label]! - largest);
        slopes[from + label] = power;
        sum += power;
      }
      for (let label = 0; label < units; label += 1) {
        slopes[from + label] =
          label < classes
            ? (slopes[from + label]! / sum - this.#targets[row * classes + label]!) / batch.length
            : 0;
      }
    });
  }

  #descend(rate: number): void {
    this.#step += 1;
    const corrected = (rate * Math.sqrt(1 - 0.999 ** this.#step)) / (1 - 0.9 ** this.#step);
    for (const { weights, gradient, moments } of this.#layers) {
      const at = [weights, gradient, ...moments].map(({ byteOffset }) => byteOffset);
      const [to, slope, mean, square] = at as [number, number, number, number];
      this.#memory.kernel.adam(to, slope, mean, square, weights.length, corrected, 1e-8);
    }
  }
}
