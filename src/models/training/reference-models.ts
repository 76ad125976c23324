import { createHash } from 'node:crypto';
import type { Input, Progress } from '../../contracts.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { seededRandom } from '../../stats/sampling.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import type { Layers } from './layers.ts';
import { cachedModel, type ModelCache } from './model-cache.ts';
import { type ModelFamily, oneHot, type TrainingData, trainFamily } from './model-families.ts';
import { featureDimensions, readRows } from './search-features.ts';

/** Whether a reference learnt from the protected model's training data, or from other data. */
export type ReferenceKind = 'same' | 'other';
/** What a reference is for; each is for one thing only. */
export const referenceParts = ['select', 'calibrate', 'test'] as const;
export type ReferencePart = (typeof referenceParts)[number];

/** A model that never saw an answer of the protected model. */
export interface ReferenceModel {
  readonly name: string;
  readonly kind: ReferenceKind;
  readonly part: ReferencePart;
  readonly family: ModelFamily;
  readonly layers: Layers;
}

/** A question and the class that it truly has. */
export interface LabelledInput {
  readonly input: Input;
  /** Index of the class. */
  readonly label: number;
}

export interface ReferenceOptions {
  readonly kind: ReferenceKind;
  readonly examples: readonly LabelledInput[];
  readonly classes: number;
  readonly features: FeatureMap;
  /** How many to train. */
  readonly count: number;
  readonly seed: string;
  readonly cache?: ModelCache;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** How much of the references each family is; one-sixtieths. */
const shares: readonly (readonly [family: ModelFamily, share: number])[] = [
  ['network-64', 18],
  ['network-128', 12],
  ['network-24', 12],
  ['network-256', 6],
  ['network-0', 6],
  ['perceptron', 3],
  ['naive-bayes', 3],
];

/** Most examples that one reference learns from. */
const mostExamples = 10_000;

/**
 * Trains reference models of several families on labelled examples, each with a seed of its own, half
 * of them on all examples and half on a bootstrap sample (naive Bayes always, which has nothing
 * else to vary). They are dealt to select, calibrate and test in turn, family by family, so that
 * every part has its third of each.
 */
export async function trainReferences(options: ReferenceOptions): Promise<ReferenceModel[]> {
  const { kind, examples, classes, features, count, seed, cache, signal, progress } = options;
  const digest = examplesDigest(examples, features);
  let data: TrainingData | undefined;
  const models: ReferenceModel[] = [];
  for (const [index, family] of familiesOf(count).entries()) {
    signal.throwIfAborted();
    const name = `${kind}/${family}/${index}`;
    const key = keyOf(['reference', digest, name, count, classes, seed]);
    const layers = await cachedModel(cache, key, () => {
      data ??= dataOf(examples, classes, features);
      const sample = sampleOf(`${seed}/${name}`, examples.length, isBootstrapped(family, index));
      return trainFamily(family, data, { seed: `${seed}/${name}`, sample, signal });
    });
    models.push({ name, kind, part: referenceParts[index % 3]!, family, layers });
    progress?.(`training ${kind}-data references`, index + 1, count);
  }
  return models;
}

/** Returns the SHA-256, in hexadecimal, of what a cached model depends on. */
export function keyOf(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function familiesOf(count: number): ModelFamily[] {
  const total = shares.reduce((sum, [, share]) => sum + share, 0);
  let cumulative = 0;
  return shares.flatMap(([family, share]) => {
    const from = Math.round((cumulative / total) * count);
    cumulative += share;
    const until = Math.round((cumulative / total) * count);
    return new Array<ModelFamily>(until - from).fill(family);
  });
}

/** Every second member of each part. */
function isBootstrapped(family: ModelFamily, index: number): boolean {
  return family === 'naive-bayes' || Math.floor(index / 3) % 2 === 1;
}

function sampleOf(seed: string, rows: number, bootstrap: boolean): Uint32Array {
  const random = seededRandom(`${seed}/sample`);
  const size = Math.min(rows, mostExamples);
  if (bootstrap) return Uint32Array.from({ length: size }, () => random.integer(rows));
  const all = Array.from({ length: rows }, (_, row) => row);
  return Uint32Array.from(size < rows ? random.choose(all, size) : all);
}

function dataOf(
  examples: readonly LabelledInput[],
  classes: number,
  features: FeatureMap,
): TrainingData {
  return {
    rows: readRows(
      features,
      examples.map(({ input }) => input),
    ),
    targets: oneHot(
      examples.map(({ label }) => label),
      classes,
    ),
    dimensions: featureDimensions(features),
    classes,
    signed: features.kind === 'tensor',
  };
}

function examplesDigest(examples: readonly LabelledInput[], features: FeatureMap): string {
  const hash = createHash('sha256').update(JSON.stringify(features));
  for (const { input, label } of examples) hash.update(inputDigest(input)).update(`${label},`);
  return hash.digest('hex');
}
