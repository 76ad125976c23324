import { createHash } from 'node:crypto';
import type * as tensorflow from '@tensorflow/tfjs';
import { z } from 'zod';
import type { Description, Input, Missing, TensorInput } from '../../contracts.ts';
import { excerpt } from './excerpt.ts';
import type { RemoteClassifier, RemoteOptions } from './remote.ts';
import { invalidAnswer } from './replies.ts';
import { type LocalSuspect, openLocal, unusable } from './suspect-local.ts';
import { directoryOf, labelsBeside, rowsOf } from './suspect-model-labels.ts';
import { readWith } from './suspect-surroundings.ts';
import type { WireAnswers } from './wire-answers.ts';

const weight = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.string(),
});
const modelFile = z.looseObject({
  format: z.string().optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z
    .array(z.object({ paths: z.array(z.string()), weights: z.array(z.looseObject(weight.shape)) }))
    .default([]),
});
type ModelFile = z.infer<typeof modelFile>;

/** What both kinds of model offer. */
interface Predictor {
  predict(input: tensorflow.Tensor): ReturnType<tensorflow.InferenceModel['predict']>;
  dispose(): unknown;
}

/** A model, the labels of its columns and what it is recognised by. */
interface LoadedModel {
  readonly model: Predictor;
  readonly labels: readonly string[] | undefined;
  readonly version: string;
}

/**
 * Returns the classifier that a TensorFlow.js model is, `tfjs:PATH`: its model.json, or the directory
 * that holds it. Layers models and graph models are read, on the backend that twins are trained on.
 *
 * It takes tensors and gives one tensor [n, K] of probabilities; text is 'unsupported'. The labels of
 * the columns are those configured, else those of a labels.json beside it, else as `columnsOf` says.
 * Its version is the SHA-256 of model.json and its weights.
 *
 * @throws USAGE without `readFile`. Asking throws INPUT_INVALID for files that are no such model,
 * SUSPECT_ANSWER_INVALID when its output has another shape.
 */
export function openTfjs(path: string, options: RemoteOptions): RemoteClassifier {
  const file = path.endsWith('.json') ? path : `${path.replace(/[\\/]+$/, '')}/model.json`;
  return openLocal(excerpt(file, 200), options, new TfjsSuspect(file, options));
}

class TfjsSuspect implements LocalSuspect {
  readonly #path: string;
  readonly #options: RemoteOptions;
  #loaded: Promise<LoadedModel> | undefined;

  constructor(path: string, options: RemoteOptions) {
    this.#path = path;
    this.#options = options;
  }

  async describe(signal: AbortSignal): Promise<Description> {
    signal.throwIfAborted();
    const { labels, version } = await this.#load();
    if (typeof (this.#options.example ?? '') === 'string') throw this.#textless();
    return {
      name: excerpt(this.#path, 200),
      version,
      ...(labels && { labels }),
      gives: this.#options.labelsOnly === true ? ['labels'] : ['labels', 'probabilities'],
    };
  }

  async ask(inputs: readonly Input[]): Promise<WireAnswers | Missing> {
    const tensors = inputs.filter((input): input is TensorInput => typeof input !== 'string');
    if (tensors.length < inputs.length) return 'unsupported';
    const { model, labels } = await this.#load();
    const tf = await import('@tensorflow/tfjs');
    const shape = [tensors.length, ...(tensors[0]?.shape ?? [])];
    const values = Float32Array.from(tensors.flatMap(({ data }) => Array.from(data)));
    const output = tf.tidy(() => this.#predict(model, tf.tensor(values, shape)));
    try {
      const probabilities = rowsOf(await output.data(), output.shape, tensors.length);
      if (probabilities !== undefined) return { labels, probabilities };
      throw this.#invalid(`has shape [${output.shape}]`);
    } finally {
      output.dispose();
    }
  }

  async close(): Promise<void> {
    const loaded = await this.#loaded?.catch(() => undefined);
    loaded?.model.dispose();
  }

  /** Shapes that do not fit make the library throw whatever it likes. */
  #predict(model: Predictor, input: tensorflow.Tensor): tensorflow.Tensor {
    let output: ReturnType<Predictor['predict']>;
    try {
      output = model.predict(input);
    } catch (cause) {
      const why = excerpt(cause instanceof Error ? cause.message : String(cause));
      throw this.#invalid(
        `cannot be computed for inputs of shape [${input.shape.slice(1)}]: ${why}`,
      );
    }
    if ('dataSync' in output && typeof output.dataSync === 'function') {
      return output as tensorflow.Tensor;
    }
    throw this.#invalid('is more than one tensor');
  }

  #load(): Promise<LoadedModel> {
    this.#loaded ??= load(this.#path, this.#options);
    return this.#loaded;
  }

  #textless() {
    return unusable(
      this.#path,
      'is a model of tensors, and the protected model takes text',
      'put the program that turns text into tensors before it, and give that as exec:COMMAND',
    );
  }

  #invalid(what: string) {
    const hint = 'the model must take what the protected model takes and give probabilities [n, K]';
    return invalidAnswer(excerpt(this.#path, 200), what, hint);
  }
}

async function load(path: string, options: RemoteOptions): Promise<LoadedModel> {
  const text = await readWith(options, path);
  const document = parse(path, text);
  const directory = directoryOf(path);
  const weights = await Promise.all(
    document.weightsManifest
      .flatMap(({ paths }) => paths)
      .map((name) => readWith(options, weightPath(path, directory, name))),
  );
  const version = createHash('sha256').update(text);
  for (const each of weights) version.update(each);
  const tf = await import('@tensorflow/tfjs');
  const { startBackend } = await import('../training/backend.ts');
  await startBackend();
  try {
    return {
      model: await readModel(tf, document, weights),
      labels: await labelsBeside(directory, options),
      version: `sha256:${version.digest('hex')}`,
    };
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) throw cause;
    const why = excerpt(cause instanceof Error ? cause.message : String(cause));
    throw unusable(
      path,
      `cannot be loaded: ${why}`,
      'give a model that tfjs itself can load',
      cause,
    );
  }
}

async function readModel(
  tf: typeof tensorflow,
  document: ModelFile,
  weights: readonly Uint8Array[],
): Promise<Predictor> {
  const bytes = Buffer.concat(weights);
  const artifacts = {
    ...document,
    weightSpecs: document.weightsManifest.flatMap((group) => group.weights),
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  } as tensorflow.io.ModelArtifacts;
  const source = { load: async () => artifacts };
  return document.format === 'graph-model' ? tf.loadGraphModel(source) : tf.loadLayersModel(source);
}

function parse(path: string, bytes: Uint8Array): ModelFile {
  try {
    return modelFile.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    const hint = 'give a model.json as tfjs saves it, with its weight files beside it';
    throw unusable(path, 'is no TensorFlow.js model', hint, cause);
  }
}

/** The model came from somebody else: its weights are beside it or nowhere. */
function weightPath(path: string, directory: string, name: string): string {
  const plain = name.split(/[\\/]/).every((part) => part !== '' && part !== '..');
  if (plain && !name.includes(':')) return `${directory}/${name}`;
  throw unusable(path, `names weights outside its directory`, 'put the weights beside model.json');
}
