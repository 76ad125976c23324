import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Input, TensorInput } from '../../src/contracts.ts';
import { inputDigest } from '../../src/keys/canonical-input.ts';
import { fitLayers } from '../../src/models/training/fit-layers.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import { fitLinear, type LinearLearner } from '../../src/models/training/linear-scores.ts';
import { cachedModel, type ModelCache } from '../../src/models/training/model-cache.ts';
import { hardLabels } from '../../src/models/training/model-families.ts';
import type { SparseRows } from '../../src/models/training/sparse-product.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { fitRandomFeatures } from './random-features.ts';
import type { View } from './scene.ts';

/** What models learn from: questions as a view reads them, and a distribution for each. */
export interface Lesson {
  readonly view: View;
  readonly questions: number;
  /** Read when first used: a model from the cache takes none. */
  readonly rows: SparseRows;
  /** Row-major [rows, classes]. */
  readonly targets: Float32Array;
  readonly classes: number;
  /** Names everything that the lesson depends on. */
  readonly key: string;
}

/** How one model learns; the seed draws the rest. */
export interface Curriculum {
  readonly learner: LinearLearner | 'network' | 'random features';
  /** Units of a network's hidden layer. */
  readonly hidden?: number;
  readonly seed: string;
  readonly sample: Uint32Array;
}

/** Raised when models are trained in another way, so that none is taken from an old cache. */
const version = 1;

/** Prepares a lesson. */
export function lessonOf(view: View, inputs: readonly Input[], targets: Float32Array): Lesson {
  const hash = createHash('sha256').update(`${version} ${view.name} ${view.dimensions}`);
  for (const input of inputs) hash.update(digestOf(input));
  hash.update(Buffer.from(targets.buffer, targets.byteOffset, targets.byteLength));
  let rows: SparseRows | undefined;
  return {
    view,
    questions: inputs.length,
    get rows() {
      rows ??= view.read(inputs);
      return rows;
    },
    targets,
    classes: targets.length / inputs.length,
    key: hash.digest('hex'),
  };
}

const digests = new WeakMap<TensorInput, Buffer>();

/** Tensors are slow to digest, and the same ones are in many lessons. */
function digestOf(input: Input): Buffer {
  if (typeof input === 'string') return inputDigest(input);
  const digest = digests.get(input) ?? inputDigest(input);
  digests.set(input, digest);
  return digest;
}

/** Trains a model, or finds it in the cache. */
export function teach(
  lesson: Lesson,
  curriculum: Curriculum,
  cache: ModelCache,
  signal: AbortSignal,
): Promise<Layers> {
  const { view, targets, classes } = lesson;
  const { learner, hidden = 0, seed, sample } = curriculum;
  const key = createHash('sha256')
    .update(JSON.stringify([lesson.key, learner, hidden, seed]))
    .update(sample)
    .digest('hex');
  return cachedModel(cache, key, () => {
    signal.throwIfAborted();
    const { rows } = lesson;
    const common = { dimensions: view.dimensions, classes, seed, sample, signal };
    if (learner === 'random features') return fitRandomFeatures(rows, targets, common);
    if (learner !== 'network') {
      const labels = hardLabels(targets, classes);
      return fitLinear(rows, labels, { ...common, learner, signed: view.signed });
    }
    const random = seededRandom(`${seed}/habits`);
    const small = Math.min(4, Math.max(1, 1500 / sample.length));
    return fitLayers(rows, targets, {
      ...common,
      hidden,
      epochs: Math.round((13 + random.integer(16)) * small),
      batchSize: [64, 128, 256][random.integer(3)]!,
      learningRate: 0.02 * 2 ** (2.4 * random.uniform() - 1.2) * (hidden === 0 ? 5 : 1),
    });
  });
}

/** A cache of models in a folder; a file is whole or absent. */
export async function folderCache(folder: string): Promise<ModelCache> {
  await mkdir(folder, { recursive: true });
  return {
    read: (key) => readFile(join(folder, `${key}.json`), 'utf8').catch(() => undefined),
    async write(key, text) {
      const draft = join(folder, `${key}.${process.pid}.part`);
      await writeFile(draft, text);
      await rename(draft, join(folder, `${key}.json`));
    },
  };
}
