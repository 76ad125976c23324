import * as tf from '@tensorflow/tfjs';
import type { Progress } from '../../contracts.ts';
import { seededRandom } from '../../stats/sampling.ts';
import { softmax } from '../../watermark/probability/distribution.ts';
import type { SparseVector } from '../../watermark/probability/features.ts';
import { startBackend } from './backend.ts';
import { packRows, type SparseRows, sparseProduct } from './sparse-product.ts';

export interface NetworkOptions {
  /** Length of the feature vectors. */
  readonly dimensions: number;
  /** Units of the one hidden layer; 0 gives a linear (softmax regression) model. */
  readonly hidden: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: string;
}

/** A trained network: probabilities [classes] for a feature vector. */
export type Network = (features: SparseVector) => Float64Array;

/**
 * Trains a softmax network on sparse features against soft or one-hot targets, by Adam (Kingma and
 * Ba 2015) on the cross-entropy with a learning rate that falls linearly to zero. The same seed and
 * data give the same network on the same backend.
 *
 * @param targets one row of class probabilities per feature vector.
 */
export async function trainNetwork(
  rows: readonly SparseVector[],
  targets: readonly ArrayLike<number>[],
  options: NetworkOptions,
  progress?: Progress,
): Promise<Network> {
  await startBackend();
  const classes = targets[0]?.length ?? 0;
  const layers = createLayers(options, classes);
  const optimizer = tf.train.adam(options.learningRate);
  const random = seededRandom(`${options.seed}/order`);
  const order = rows.map((_, index) => index);
  const totalSteps = options.epochs * Math.ceil(rows.length / options.batchSize);
  let step = 0;
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    const shuffled = random.shuffle(order);
    for (let start = 0; start < shuffled.length; start += options.batchSize) {
      const batch = shuffled.slice(start, start + options.batchSize);
      setLearningRate(optimizer, options.learningRate * (1 - step / totalSteps));
      trainStep(
        optimizer,
        layers,
        packRows(batch.map((index) => rows[index]!)),
        batch.map((index) => targets[index]!),
      );
      step += 1;
    }
    progress?.('training', epoch + 1, options.epochs);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const network = freeze(layers);
  optimizer.dispose();
  for (const layer of layers)
    for (const variable of [layer.weights, layer.bias]) variable.dispose();
  return network;
}

interface Layer {
  readonly weights: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;
}

function createLayers(options: NetworkOptions, classes: number): Layer[] {
  const random = seededRandom(`${options.seed}/weights`);
  const layer = (inputs: number, outputs: number, scale: number): Layer => {
    const normals = Float32Array.from({ length: inputs * outputs }, () => random.normal() * scale);
    return {
      weights: tf.tidy(() => tf.variable(tf.tensor2d(normals, [inputs, outputs]))),
      bias: tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R1>([outputs]))),
    };
  };
  const { dimensions } = options;
  if (options.hidden === 0) return [layer(dimensions, classes, 0)];
  return [
    layer(dimensions, options.hidden, 0.5),
    layer(options.hidden, classes, (1 / options.hidden) ** 0.5),
  ];
}

function trainStep(
  optimizer: tf.AdamOptimizer,
  layers: readonly Layer[],
  rows: SparseRows,
  targets: readonly ArrayLike<number>[],
): void {
  const classes = targets[0]!.length;
  const flat = new Float32Array(targets.length * classes);
  targets.forEach((row, index) => {
    flat.set(row, index * classes);
  });
  tf.tidy(() => {
    const wanted = tf.tensor2d(flat, [targets.length, classes]);
    optimizer.minimize(() => {
      const logits = forward(layers, rows);
      return tf.neg(tf.mean(tf.sum(tf.mul(wanted, tf.logSoftmax(logits)), 1))) as tf.Scalar;
    });
  });
}

function forward(layers: readonly Layer[], rows: SparseRows): tf.Tensor2D {
  const [first, second] = layers as [Layer, Layer?];
  const inner = tf.add(sparseProduct(rows, first.weights), first.bias) as tf.Tensor2D;
  if (second === undefined) return inner;
  return tf.add(tf.matMul(tf.relu(inner), second.weights), second.bias) as tf.Tensor2D;
}

/** tfjs keeps the rate in a protected field and offers no schedule. */
function setLearningRate(optimizer: tf.AdamOptimizer, rate: number): void {
  Object.assign(optimizer, { learningRate: rate });
}

/** Copies the weights out of the backend, so that predicting is plain arithmetic. */
function freeze(layers: readonly Layer[]): Network {
  const copies = layers.map((layer) => ({
    weights: Float32Array.from(layer.weights.dataSync()),
    bias: Float32Array.from(layer.bias.dataSync()),
  }));
  const [first, second] = copies as [(typeof copies)[0], (typeof copies)[0]?];
  if (second === undefined) return (row) => softmax(affine(row, first.weights, first.bias));
  const indices = Uint32Array.from(first.bias.keys());
  return (row) => {
    const values = Float32Array.from(affine(row, first.weights, first.bias), (x) => Math.max(0, x));
    return softmax(affine({ indices, values }, second.weights, second.bias));
  };
}

function affine(row: SparseVector, weights: Float32Array, bias: Float32Array): Float64Array {
  const units = bias.length;
  const sums = Float64Array.from(bias);
  for (let entry = 0; entry < row.indices.length; entry += 1) {
    const value = row.values[entry]!;
    const from = row.indices[entry]! * units;
    for (let unit = 0; unit < units; unit += 1) sums[unit]! += value * weights[from + unit]!;
  }
  return sums;
}
