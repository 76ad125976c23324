import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSuspectFile } from '../../../src/config/suspect-files.ts';
import { webRuntime } from '../../../src/models/adapters/onnx-runtime.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../../src/models/adapters/remote.ts';
import { startBackend } from '../../../src/models/training/backend.ts';

const signal = new AbortController().signal;
const vectors = join(import.meta.dirname, '..', '..', 'vectors', 'onnx');
const weights = [
  [1, 0, -1],
  [0.5, 2, 0],
];
const bias = [0, 0.25, -0.25];
const inputs = [
  { shape: [2], data: Float32Array.of(1, 2) },
  { shape: [2], data: Float32Array.of(3, -1) },
  { shape: [2], data: Float32Array.of(-2, 0) },
];
const expected = inputs.map(({ data }) => {
  const logits = bias.map((b, k) => b + data[0]! * weights[0]![k]! + data[1]! * weights[1]![k]!);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / total);
});

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'touchmark-models-'));
  await saveLayersModel(join(directory, 'tfjs'));
});
afterAll(() => rm(directory, { recursive: true }));

const open = (specification: string, more: Partial<RemoteOptions> = {}) =>
  openClassifier(specification, {
    labels: ['en', 'no', 'de'],
    example: { shape: [2], data: new Float32Array(2) },
    readFile: readSuspectFile,
    ...more,
  });

async function saveLayersModel(path: string): Promise<void> {
  await startBackend();
  await mkdir(path);
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 3, inputShape: [2], activation: 'softmax' })],
  });
  model.setWeights([tf.tensor(weights), tf.tensor(bias)]);
  await model.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      const manifest = [{ paths: ['part/w.bin'], weights: weightSpecs }];
      await mkdir(join(path, 'part'));
      await writeFile(join(path, 'part/w.bin'), Buffer.from(weightData as ArrayBuffer));
      await writeFile(
        join(path, 'model.json'),
        JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: manifest }),
      );
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  });
  model.dispose();
}

async function answersOf(specification: string, more: Partial<RemoteOptions> = {}) {
  const classifier = open(specification, more);
  try {
    const description = await classifier.describe({ signal });
    return { description, outcomes: await classifier.classify(inputs, { signal }) };
  } finally {
    await classifier.close();
  }
}

function expectProbabilities(outcomes: readonly unknown[], order = [0, 1, 2]): void {
  expect(outcomes).toEqual(
    expected.map((row) => ({
      answer: {
        label: expect.any(String),
        probabilities: order.map((k) => expect.closeTo(row[k]!, 6)),
      },
    })),
  );
}

describe('tfjs:', () => {
  test('answers as the model computes, for the file and for its directory', async () => {
    const { description, outcomes } = await answersOf(`tfjs:${directory}/tfjs`);
    expect(description).toEqual({
      name: `${directory}/tfjs/model.json`,
      version: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      gives: ['labels', 'probabilities'],
    });
    expectProbabilities(outcomes);
    expect(outcomes).toMatchObject([
      { answer: { label: 'no' } },
      { answer: { label: 'en' } },
      { answer: { label: 'de' } },
    ]);
    const again = await answersOf(`tfjs:${directory}/tfjs/model.json`);
    expect(again).toEqual({ description, outcomes });
  });

  test('takes its labels from labels.json, unless others are configured', async () => {
    await writeFile(join(directory, 'tfjs', 'labels.json'), '["deu", "eng", "nob"]');
    const { description, outcomes } = await answersOf(`tfjs:${directory}/tfjs`);
    expect(description.labels).toEqual(['deu', 'eng', 'nob']);
    expectProbabilities(outcomes, [1, 2, 0]);
    const other = await answersOf(`tfjs:${directory}/tfjs`, { suspectLabels: ['no', 'de', 'en'] });
    expectProbabilities(other.outcomes, [2, 0, 1]);
    await writeFile(join(directory, 'tfjs', 'labels.json'), '{"labels": 3}');
    await expect(answersOf(`tfjs:${directory}/tfjs`)).rejects.toThrow(
      `the suspect's file ${directory}/tfjs/labels.json lists no labels`,
    );
    await rm(join(directory, 'tfjs', 'labels.json'));
  });

  test('has no answer to text, and says so when text is what is asked', async () => {
    const classifier = open(`tfjs:${directory}/tfjs`);
    expect(await classifier.classify(['a'], { signal })).toEqual([{ missing: 'unsupported' }]);
    const texts = open(`tfjs:${directory}/tfjs`, { example: 'text' });
    await expect(texts.describe({ signal })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('is a model of tensors, and the protected model takes text'),
      hint: expect.stringContaining('exec:'),
    });
    await classifier.close();
  });

  test('refuses inputs of another shape by name', async () => {
    const classifier = open(`tfjs:${directory}/tfjs`);
    const wide = { shape: [3], data: new Float32Array(3) };
    await expect(classifier.classify([wide], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: expect.stringContaining('cannot be computed for inputs of shape [3]'),
    });
    await classifier.close();
  });

  test.each([
    ['no JSON', '{', 'is no TensorFlow.js model'],
    ['no topology', '{"modelTopology": 3}', 'is no TensorFlow.js model'],
    ['an empty topology', '{"modelTopology": {}}', 'cannot be loaded'],
    [
      'weights elsewhere',
      '{"modelTopology": {}, "weightsManifest": [{"paths": ["../../etc/passwd"], "weights": []}]}',
      'names weights outside its directory',
    ],
    [
      'weights that are not there',
      '{"modelTopology": {}, "weightsManifest": [{"paths": ["w.bin"], "weights": []}]}',
      'w.bin is not there',
    ],
  ])('refuses a file with %s', async (_, text, message) => {
    const path = join(directory, 'broken.json');
    await writeFile(path, text);
    await expect(answersOf(`tfjs:${path}`)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
    });
  });
});

describe('onnx:', () => {
  test('answers as the model computes; its whole numbers count the labels', async () => {
    const path = join(vectors, 'softmax.onnx');
    const suspectLabels = ['eng', 'nob', 'deu'];
    const { description, outcomes } = await answersOf(`onnx:${path}`, { suspectLabels });
    expect(description).toEqual({
      name: path,
      version: `sha256:${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}`,
      labels: suspectLabels,
      gives: ['labels', 'probabilities'],
    });
    expectProbabilities(outcomes);
    expect(outcomes).toMatchObject([
      { answer: { label: 'no' } },
      { answer: { label: 'en' } },
      { answer: { label: 'de' } },
    ]);
  });

  test('asks a model of one input at a time one by one', async () => {
    const suspectLabels = ['en', 'no', 'de'];
    const path = join(vectors, 'softmax-single.onnx');
    expectProbabilities((await answersOf(`onnx:${path}`, { suspectLabels })).outcomes);
  });

  test('says that a model of text is not supported', async () => {
    await expect(answersOf(`onnx:${vectors}/text.onnx`)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('takes text; supported are models of one float32 tensor'),
      hint: expect.stringContaining('exec:'),
    });
  });

  test('refuses what is no model, what is not there, and inputs of another shape', async () => {
    await writeFile(join(directory, 'broken.onnx'), 'no model');
    await expect(answersOf(`onnx:${directory}/broken.onnx`)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('broken.onnx cannot be loaded'),
    });
    await expect(answersOf(`onnx:${directory}/missing.onnx`)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: `the suspect's file ${directory}/missing.onnx is not there`,
    });
    const classifier = open(`onnx:${vectors}/softmax.onnx`);
    const wide = { shape: [3], data: new Float32Array(3) };
    await expect(classifier.classify([wide], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_ANSWER_INVALID',
      message: expect.stringContaining('cannot be computed for inputs of shape [3]'),
    });
    await classifier.close();
    await expect(
      openClassifier('onnx:x.onnx', { labels: ['a', 'b'] }).describe({ signal }),
    ).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('reader of files') });
  });

  test('runs in WebAssembly where there is nothing faster', async () => {
    const { InferenceSession, Tensor } = await webRuntime();
    const session = await InferenceSession.create(await readFile(join(vectors, 'softmax.onnx')));
    const x = new Tensor('float32', Float32Array.of(1, 2), [1, 2]);
    const { probabilities } = await session.run({ x });
    expect(Array.from(probabilities!.data as Float32Array)).toEqual(
      expected[0]!.map((value) => expect.closeTo(value, 6)),
    );
    await session.release();
  });
});
