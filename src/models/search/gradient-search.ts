import * as tf from '@tensorflow/tfjs';
import type { TensorInput } from '../../contracts.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import { startBackend } from '../training/backend.ts';
import type { Layers } from '../training/layers.ts';
import { smoothFields } from './smooth-fields.ts';

export interface GradientSearchOptions {
  readonly features: Extract<FeatureMap, { kind: 'tensor' }>;
  /** Models that are to agree, and models of both kinds that are not to. */
  readonly surrogates: readonly Layers[];
  readonly references: readonly [same: readonly Layers[], other: readonly Layers[]];
  /** The most that a value may be changed, as a share of itself. */
  readonly strength?: number;
  /** Knots of the smooth field along each side of an image. */
  readonly knots?: number;
  readonly steps?: number;
  readonly signal: AbortSignal;
  readonly progress?: (done: number, total: number) => void;
}

const startsAtOnce = 256;
const learningRate = 0.1;
/** Keeps the logarithm finite for a reference that is certain. */
const softening = 0.05;
/** How sharply the kind of reference that agrees more is preferred. */
const preference = 20;

/**
 * Changes tensors so that simulated surrogates agree and references do not: conferrable examples
 * (Lukas, Zhang and Kerschbaum 2021), through models of the owner alone. Where an image is bright it
 * may get brighter or darker, smoothly over the image, so that nothing is drawn where nothing was:
 * x = x0 (1 + strength tanh(f)), f interpolated bilinearly between `knots` x `knots` values that Adam
 * ascends for `steps` steps. It maximises the mean over surrogates of log p(t) plus, over references
 * of the kind that agrees more, the mean of log(1.05 - p(t)), where t is the class that surrogates
 * give the most at each step.
 *
 * @returns one tensor per start; not all of them are good traps
 */
export async function searchByGradient(
  starts: readonly TensorInput[],
  options: GradientSearchOptions,
): Promise<TensorInput[]> {
  await startBackend();
  const found: TensorInput[] = [];
  for (let from = 0; from < starts.length; from += startsAtOnce) {
    const batch = starts.slice(from, from + startsAtOnce);
    const values = await searchBatch(batch, options, (share) => {
      options.progress?.(from + Math.floor(share * batch.length), starts.length);
    });
    batch.forEach(({ shape }, index) => {
      const size = values.length / batch.length;
      found.push({ shape, data: values.slice(index * size, (index + 1) * size) });
    });
  }
  return found;
}

async function searchBatch(
  starts: readonly TensorInput[],
  { features, surrogates, references, signal, ...options }: GradientSearchOptions,
  progress: (share: number) => void,
): Promise<Float32Array> {
  const { strength = 0.5, knots = 4, steps = 30 } = options;
  const size = features.mean.length;
  const fields = smoothFields(features.shape, knots);
  const constants = {
    start: tf.tensor2d(Float32Array.from(starts.flatMap(({ data }) => [...data])), [
      starts.length,
      size,
    ]),
    basis: tf.tensor2d(fields.values, [fields.count, size]),
    ...standardisation(features),
  };
  const knotsOf = tf.variable(tf.zeros<tf.Rank.R2>([starts.length, fields.count]));
  const models = {
    surrogates: surrogates.map(place),
    same: references[0].map(place),
    other: references[1].map(place),
  };
  const optimizer = tf.train.adam(learningRate);
  const { start, basis, mean, scale } = constants;
  const range = { least: start.min(), most: start.max() };
  const change = (): tf.Tensor2D => {
    const field = tf.tanh(tf.matMul(knotsOf, basis));
    const changed = tf.mul(start, tf.add(1, tf.mul(strength, field)));
    return tf.minimum(tf.maximum(changed, range.least), range.most) as tf.Tensor2D;
  };
  try {
    for (let step = 0; step < steps; step += 1) {
      signal.throwIfAborted();
      tf.tidy(() => {
        optimizer.minimize(() => {
          const rows = tf.mul(tf.sub(change(), mean), scale) as tf.Tensor2D;
          return tf.neg(objective(rows, models)) as tf.Scalar;
        });
      });
      progress((step + 1) / steps);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return tf.tidy(() => Float32Array.from(change().dataSync()));
  } finally {
    optimizer.dispose();
    const placed = Object.values(models)
      .flat(2)
      .flatMap(({ weights, bias }) => [weights, bias]);
    tf.dispose([knotsOf, ...Object.values(constants), ...Object.values(range), ...placed]);
  }
}

interface PlacedLayer {
  readonly weights: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
}
type Placed = readonly PlacedLayer[];

function objective(
  rows: tf.Tensor2D,
  models: Readonly<Record<'surrogates' | 'same' | 'other', readonly Placed[]>>,
): tf.Tensor {
  const logs = models.surrogates.map((layers) => tf.logSoftmax(forward(rows, layers)));
  const classes = logs[0]!.shape[1]!;
  const total = tf.addN(logs);
  const wanted = tf.oneHot(total.argMax(1), classes).cast('float32');
  const agreeing = tf.div(tf.sum(tf.mul(total, wanted), 1), logs.length);
  const sides = (['same', 'other'] as const).map((kind) => {
    const chances = models[kind].map((layers) =>
      tf.sum(tf.mul(tf.softmax(forward(rows, layers)), wanted), 1),
    );
    const doubts = chances.map((chance) => tf.log(tf.sub(1 + softening, chance)));
    const [chance, doubt] = [chances, doubts].map((each) => tf.div(tf.addN(each), each.length));
    return { chance: chance!, doubt: doubt! };
  });
  const [same, other] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const lead = tf.tensor(tf.sub(same.chance, other.chance).dataSync());
  const share = tf.sigmoid(tf.mul(preference, lead));
  const doubting = tf.add(tf.mul(share, same.doubt), tf.mul(tf.sub(1, share), other.doubt));
  return tf.sum(tf.add(agreeing, doubting));
}

function forward(rows: tf.Tensor2D, [first, second]: Placed): tf.Tensor2D {
  const inner = tf.add(tf.matMul(rows, first!.weights), first!.bias) as tf.Tensor2D;
  if (second === undefined) return inner;
  return tf.add(tf.matMul(tf.relu(inner), second.weights), second.bias) as tf.Tensor2D;
}

function place({ classes, layers }: Layers): Placed {
  return layers.map(({ inputs, units, weights }, depth) =>
    tf.tidy(() => {
      const columns = depth === layers.length - 1 ? classes : units;
      const table = tf.tensor2d(weights, [inputs + 1, units]);
      return {
        weights: tf.slice(table, [0, 0], [inputs, columns]),
        bias: tf.slice(table, [inputs, 0], [1, columns]).reshape([columns]) as tf.Tensor1D,
      };
    }),
  );
}

/** Standardises as `readFeatures` does, but for the cut. */
function standardisation({ mean, deviation }: GradientSearchOptions['features']) {
  const length = Math.sqrt(mean.length);
  return {
    mean: tf.tensor1d([...mean]),
    scale: tf.tensor1d(deviation.map((each) => (each === 0 ? 0 : 1 / (each * length)))),
  };
}
