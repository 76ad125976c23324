import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import type { Progress } from '../../contracts.ts';
import { seededRandom } from '../../stats/sampling.ts';
import { requireTokens, requireWhole } from '../language/training-texts.ts';
import { startBackend } from './backend.ts';
import { NeuralLanguageModel, type NeuralWeights } from './neural-prediction.ts';
import { packRows, sparseProduct } from './sparse-product.ts';
import { type TokenExamples, TokenRanks } from './token-ranks.ts';

export interface NeuralLanguageModelOptions {
  /** Token ids are in [0, vocabularySize). */
  readonly vocabularySize: number;
  readonly seed: string;
  /** Passes over the texts; 6 by default. */
  readonly epochs?: number;
  readonly progress?: Progress;
}

const contextLength = 3;
const embeddingSize = 32;
const hiddenUnits = 64;
/** The most frequent tokens have an output of their own; all others share one. */
const shortlistLength = 1024;
const batchSize = 256;
const learningRate = 0.01;
const stepsPerTurn = 20;

/**
 * Trains a neural probabilistic language model (Bengio et al. 2003, section 2): embeddings of the
 * last three tokens, a hidden layer of tanh units and a softmax, by Adam on the cross-entropy with a
 * learning rate that falls linearly to zero. The softmax is over the 1,024 most frequent tokens and
 * one output for all others, which divide it by their frequency (Schwenk 2007, "Continuous space
 * language models", section 4), smoothed over all ids as Witten and Bell (1991, method C) do.
 *
 * The same texts and seed give the same model on the same tensor backend. Without any text the model
 * is uniform.
 *
 * @throws TouchmarkError INPUT_INVALID for a token id outside the vocabulary
 */
export async function trainNeuralLanguageModel(
  texts: readonly Int32Array[],
  options: NeuralLanguageModelOptions,
): Promise<NeuralLanguageModel> {
  const { vocabularySize, seed, epochs = 6, progress } = options;
  requireWhole('vocabulary size', vocabularySize, 1, 2 ** 24);
  requireTokens(texts, vocabularySize);
  await startBackend();
  const ranks = new TokenRanks(texts, vocabularySize, shortlistLength);
  const examples = ranks.examples(texts, contextLength);
  const layers = createLayers(ranks, seed);
  const optimizer = tf.train.adam(learningRate);
  const random = seededRandom(`${seed}/order`);
  const order = Array.from(examples.targets.keys());
  const totalSteps = epochs * Math.ceil(order.length / batchSize);
  for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
    const shuffled = random.shuffle(order);
    for (let start = 0; start < shuffled.length; start += batchSize, step++) {
      setLearningRate(optimizer, learningRate * (1 - step / totalSteps));
      trainStep(optimizer, layers, examples, shuffled.slice(start, start + batchSize));
      if (step % stepsPerTurn === 0) await nextTurn();
    }
    progress?.('training', epoch + 1, epochs);
  }
  const model = new NeuralLanguageModel(freeze(layers), ranks);
  optimizer.dispose();
  for (const variable of Object.values(layers)) variable.dispose();
  return model;
}

interface Layers {
  readonly embeddings: tf.Variable<tf.Rank.R2>;
  readonly inner: tf.Variable<tf.Rank.R2>;
  readonly innerBias: tf.Variable<tf.Rank.R1>;
  readonly outer: tf.Variable<tf.Rank.R2>;
  readonly outerBias: tf.Variable<tf.Rank.R1>;
}

function createLayers({ inputs, outputs }: TokenRanks, seed: string): Layers {
  const random = seededRandom(`${seed}/weights`);
  const weights = (rows: number, columns: number, scale: number) => {
    const normals = Float32Array.from({ length: rows * columns }, () => random.normal() * scale);
    return tf.tidy(() => tf.variable(tf.tensor2d(normals, [rows, columns])));
  };
  const zeros = (units: number) => tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R1>([units])));
  const width = contextLength * embeddingSize;
  return {
    embeddings: weights(inputs, embeddingSize, 0.5),
    inner: weights(width, hiddenUnits, width ** -0.5),
    innerBias: zeros(hiddenUnits),
    outer: weights(hiddenUnits, outputs, hiddenUnits ** -0.5),
    outerBias: zeros(outputs),
  };
}

function trainStep(
  optimizer: tf.AdamOptimizer,
  layers: Layers,
  examples: TokenExamples,
  batch: readonly number[],
): void {
  const outputs = layers.outerBias.size;
  const wanted = new Float32Array(batch.length * outputs);
  batch.forEach((example, row) => {
    wanted[row * outputs + examples.targets[example]!] = 1;
  });
  tf.tidy(() => {
    const labels = tf.tensor2d(wanted, [batch.length, outputs]);
    optimizer.minimize(() =>
      tf.losses.softmaxCrossEntropy(labels, forward(layers, examples, batch)).asScalar(),
    );
  });
}

function forward(layers: Layers, { contexts }: TokenExamples, batch: readonly number[]): tf.Tensor {
  const value = Float32Array.of(1);
  const rows = batch.flatMap((example) =>
    Array.from({ length: contextLength }, (_, at) => ({
      indices: Uint32Array.of(contexts[example * contextLength + at]!),
      values: value,
    })),
  );
  const embedded = sparseProduct(packRows(rows), layers.embeddings);
  const joined = tf.reshape(embedded, [batch.length, contextLength * embeddingSize]);
  const hidden = tf.tanh(tf.add(tf.matMul(joined, layers.inner), layers.innerBias));
  return tf.add(tf.matMul(hidden, layers.outer), layers.outerBias);
}

/** tfjs keeps the rate in a protected field and offers no schedule. */
function setLearningRate(optimizer: tf.AdamOptimizer, rate: number): void {
  Object.assign(optimizer, { learningRate: rate });
}

/** Copies the weights out of the backend, so that predicting is plain arithmetic. */
function freeze(layers: Layers): NeuralWeights {
  const copy = (variable: tf.Tensor) => Float32Array.from(variable.dataSync());
  return {
    contextLength,
    embeddings: copy(layers.embeddings),
    inner: copy(layers.inner),
    innerBias: copy(layers.innerBias),
    outer: copy(layers.outer),
    outerBias: copy(layers.outerBias),
  };
}
