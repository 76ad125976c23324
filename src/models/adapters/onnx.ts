import { createHash } from 'node:crypto';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { Description, Input, Missing, TensorInput } from '../../contracts.ts';
import { excerpt } from './excerpt.ts';
import { type OnnxRuntime, openRuntime } from './onnx-runtime.ts';
import type { RemoteClassifier, RemoteOptions } from './remote.ts';
import { invalidAnswer } from './replies.ts';
import { type LocalSuspect, openLocal, unusable } from './suspect-local.ts';
import { directoryOf, labelsBeside, rowsOf } from './suspect-model-labels.ts';
import { readWith } from './suspect-surroundings.ts';
import type { WireAnswers } from './wire-answers.ts';

interface LoadedModel {
  readonly runtime: OnnxRuntime;
  readonly session: InferenceSession;
  readonly labels: readonly string[] | undefined;
  readonly version: string;
  /** Inputs that fit into one run, where the model fixes it. */
  readonly batch: number;
}

/**
 * Returns the classifier that an ONNX model is, `onnx:PATH.onnx`, run by onnxruntime-node where it is
 * installed, else by onnxruntime-web.
 *
 * It takes one float tensor [n, ...]; text is 'unsupported'. Read are the output "probabilities", else
 * the first float output of shape [n, K]; beside it an output "label" or "output_label" [n] of texts,
 * or of whole numbers that count the labels. The labels of the columns are those configured, else
 * those of a labels.json beside it, else as `columnsOf` says. Its version is the file's SHA-256.
 *
 * @throws USAGE without `readFile`. Asking throws INPUT_INVALID for a file that is no such model,
 * SUSPECT_ANSWER_INVALID when its outputs are others.
 */
export function openOnnx(path: string, options: RemoteOptions): RemoteClassifier {
  return openLocal(excerpt(path, 200), options, new OnnxSuspect(path, options));
}

class OnnxSuspect implements LocalSuspect {
  readonly #path: string;
  readonly #options: RemoteOptions;
  #loaded: Promise<LoadedModel> | undefined;

  constructor(path: string, options: RemoteOptions) {
    this.#path = path;
    this.#options = options;
  }

  async describe(signal: AbortSignal): Promise<Description> {
    signal.throwIfAborted();
    const { labels, version, session } = await this.#load();
    if (typeof (this.#options.example ?? '') === 'string') {
      throw unusable(
        this.#path,
        'is a model of tensors, and the protected model takes text',
        'put the program that turns text into tensors before it, and give that as exec:COMMAND',
      );
    }
    const only = this.#options.labelsOnly === true || isLabelOnly(session);
    return {
      name: excerpt(this.#path, 200),
      version,
      ...(labels && { labels }),
      gives: only ? ['labels'] : ['labels', 'probabilities'],
    };
  }

  async ask(inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers | Missing> {
    const tensors = inputs.filter((input): input is TensorInput => typeof input !== 'string');
    if (tensors.length < inputs.length) return 'unsupported';
    const loaded = await this.#load();
    const parts: WireAnswers[] = [];
    for (let start = 0; start < tensors.length; start += loaded.batch) {
      signal.throwIfAborted();
      parts.push(await this.#run(tensors.slice(start, start + loaded.batch), loaded));
    }
    const rows = parts.flatMap(({ probabilities }) => probabilities ?? []);
    const answers = parts.flatMap((part) => part.answers ?? []);
    return {
      labels: loaded.labels,
      ...(rows.length > 0 && { probabilities: rows }),
      ...(answers.length > 0 && { answers }),
    };
  }

  async close(): Promise<void> {
    const loaded = await this.#loaded?.catch(() => undefined);
    await loaded?.session.release();
  }

  async #run(
    tensors: readonly TensorInput[],
    { runtime, session, labels }: LoadedModel,
  ): Promise<WireAnswers> {
    const shape = [tensors.length, ...(tensors[0]?.shape ?? [])];
    const values = Float32Array.from(tensors.flatMap(({ data }) => Array.from(data)));
    const input = new runtime.Tensor('float32', values, shape);
    try {
      const outputs = await session.run({ [session.inputNames[0]!]: input });
      return this.#answers(Object.entries(outputs), tensors.length, labels);
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && 'exitCode' in cause) throw cause;
      const why = excerpt(cause instanceof Error ? cause.message : String(cause), 300);
      throw this.#invalid(`cannot be computed for inputs of shape [${shape.slice(1)}]: ${why}`);
    }
  }

  #answers(
    outputs: readonly (readonly [string, Tensor])[],
    inputs: number,
    labels: readonly string[] | undefined,
  ): WireAnswers {
    const floats = outputs.filter(([, { type }]) => type === 'float32' || type === 'float64');
    const named = floats.find(([name]) => name === 'probabilities');
    const candidates = named === undefined ? floats : [named];
    const probabilities = candidates
      .map(([, { data, dims }]) => rowsOf(data as Float32Array, dims, inputs))
      .find((rows) => rows !== undefined);
    const [, decided] = outputs.find(([name]) => labelOutputs.has(name)) ?? [];
    const answers = decided && decided.size === inputs ? labelsIn(decided, labels) : undefined;
    if (probabilities !== undefined || answers !== undefined) return { probabilities, answers };
    const came = outputs.map(([name, { type, dims }]) => `${excerpt(name, 40)} ${type}[${dims}]`);
    throw this.#invalid(`holds only ${came.slice(0, 8).join(', ')}`);
  }

  #load(): Promise<LoadedModel> {
    this.#loaded ??= load(this.#path, this.#options);
    return this.#loaded;
  }

  #invalid(what: string) {
    const hint = 'the model must take what the protected model takes and give probabilities [n, K]';
    return invalidAnswer(excerpt(this.#path, 200), what, hint);
  }
}

const labelOutputs = new Set(['label', 'output_label']);

function labelsIn({ data, type }: Tensor, labels: readonly string[] = []): string[] | undefined {
  if (type !== 'string' && type !== 'int64' && type !== 'int32') return undefined;
  return Array.from(data as ArrayLike<string | number | bigint>, (value) =>
    typeof value === 'string' ? value : (labels[Number(value)] ?? String(value)),
  );
}

function isLabelOnly({ outputNames }: InferenceSession): boolean {
  return outputNames.every((name) => labelOutputs.has(name));
}

async function load(path: string, options: RemoteOptions): Promise<LoadedModel> {
  const bytes = await readWith(options, path);
  const runtime = await openRuntime();
  const session = await runtime.InferenceSession.create(bytes).catch((cause: unknown) => {
    const why = excerpt(cause instanceof Error ? cause.message : String(cause));
    throw unusable(path, `cannot be loaded: ${why}`, 'give an .onnx file in one piece', cause);
  });
  const [input, ...others] = session.inputMetadata;
  if (input === undefined || others.length > 0 || !input.isTensor || input.type !== 'float32') {
    const types = session.inputMetadata.map((each) => (each.isTensor ? each.type : 'no tensor'));
    const text = types.includes('string') ? 'takes text' : `takes ${types.join(' and ')}`;
    throw unusable(path, `${text}; supported are models of one float32 tensor`, asProgram);
  }
  const [first] = input.shape;
  return {
    runtime,
    session,
    labels: await labelsBeside(directoryOf(path), options),
    version: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    batch: typeof first === 'number' && first > 0 ? first : Number.POSITIVE_INFINITY,
  };
}

const asProgram = 'write a program that runs the model, and give that as exec:COMMAND';
