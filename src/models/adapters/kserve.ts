import { z } from 'zod';
import type { Description, Input, Missing, TensorInput } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { display, parseAddress } from './address.ts';
import type { WireAnswers } from './answers.ts';
import {
  type Connection,
  openRemote,
  type RemoteClassifier,
  type RemoteOptions,
} from './remote.ts';
import { checkReply, wireLabel, wireLabels } from './replies.ts';
import { flatten } from './tensors.ts';

const tensorMetadata = z.object({
  name: z.string().min(1).max(256),
  datatype: z.string().max(32),
  parameters: z.object({ labels: z.unknown() }).optional(),
});
const metadata = z.object({
  name: z.string().max(256),
  versions: z.array(z.string().max(256)).optional(),
  inputs: z.array(tensorMetadata).min(1),
  outputs: z.array(tensorMetadata).min(1),
  parameters: z.object({ labels: z.unknown() }).optional(),
});
type Metadata = z.infer<typeof metadata>;

const reply = z.object({
  outputs: z.array(
    z.object({
      name: z.string(),
      shape: z.array(z.int().min(0)).max(8),
      data: z.array(z.unknown()),
    }),
  ),
});
type Output = z.infer<typeof reply>['outputs'][number];

/**
 * Returns the classifier behind an Open Inference Protocol v2 REST server, `kserve:URL`.
 *
 * The address names the model: `http://host:port/v2/models/NAME`, with `/versions/VERSION` behind
 * it or a path before it, or `http://host:port?model=NAME`. Text goes as a BYTES tensor [n], tensors
 * as FP32 [n, ...]; of the outputs, `probabilities` FP32 [n, K] and `label` BYTES [n] are read, and
 * a null label is a refusal. The labels of the K columns come from `parameters.labels` of the
 * model's metadata (of an output or of the model; an array, or an array written as JSON text), else
 * from `suspectLabels`. Errors as for `openRemote`.
 */
export function openKserve(address: string, options: RemoteOptions): RemoteClassifier {
  const model = modelAddress(parseAddress(address));
  return openRemote(model.href, options, (connection) => new OpenInference(connection));
}

/** One model behind the protocol; its metadata is read once. */
class OpenInference {
  readonly #connection: Connection;
  #metadata: Promise<Metadata> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async describe(signal: AbortSignal): Promise<Description> {
    const { url, transport, options } = this.#connection;
    await transport.get(above(url, '/v2/health/ready'), signal);
    const model = await this.#model(signal);
    const names = new Set(model.outputs.map(({ name }) => name));
    const labels = this.#labels(model);
    const version = model.versions?.at(-1);
    const probabilities = names.has('probabilities') && options.labelsOnly !== true;
    return {
      name: model.name,
      ...(version === undefined ? {} : { version }),
      ...(labels === undefined ? {} : { labels }),
      gives: probabilities ? ['labels', 'probabilities'] : ['labels'],
    };
  }

  async ask(inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers | Missing> {
    const { url, shown, transport, options } = this.#connection;
    const model = await this.#model(signal);
    const { name, datatype } = model.inputs[0]!;
    const tensor = isText(inputs) ? textTensor(inputs) : numberTensor(inputs);
    if (datatype !== tensor.datatype) return 'unsupported';
    const wanted = options.labelsOnly === true ? { outputs: [{ name: 'label' }] } : {};
    const request = { inputs: [{ name, ...tensor }], ...wanted };
    const answer = await transport.post(below(url, '/infer'), request, signal);
    const { outputs } = checkReply(reply, answer, shown);
    return this.#answers(outputs, inputs.length, this.#labels(model));
  }

  async #model(signal: AbortSignal): Promise<Metadata> {
    const { url, shown, transport } = this.#connection;
    this.#metadata ??= transport
      .get(url, signal)
      .then((document) => checkReply(metadata, document, shown));
    try {
      return await this.#metadata;
    } catch (error) {
      this.#metadata = undefined;
      throw error;
    }
  }

  #labels({ outputs, parameters }: Metadata): readonly string[] | undefined {
    const given = [...outputs.map((output) => output.parameters?.labels), parameters?.labels];
    const published = given.find((labels) => labels !== undefined);
    if (published === undefined) return this.#connection.options.suspectLabels;
    const text = wireLabels.or(z.string().transform(jsonText).pipe(wireLabels));
    return checkReply(text, published, this.#connection.shown);
  }

  #answers(outputs: readonly Output[], inputs: number, labels?: readonly string[]): WireAnswers {
    const probabilities = outputs.find(({ name }) => name === 'probabilities');
    const label = outputs.find(({ name }) => name === 'label');
    return {
      labels,
      probabilities: probabilities && this.#rows(probabilities, inputs),
      answers: label && this.#names(label, inputs),
    };
  }

  #rows(output: Output, inputs: number): unknown[][] {
    const flat = this.#flat(output, inputs, 2);
    const width = output.shape[1]!;
    return Array.from({ length: inputs }, (_, row) => flat.slice(row * width, (row + 1) * width));
  }

  #names(output: Output, inputs: number): (string | null)[] {
    const flat = this.#flat(output, inputs, 1);
    return checkReply(z.array(wireLabel.nullable()), flat, this.#connection.shown);
  }

  /** The shape is the suspect's word: it is checked against the inputs before it is allocated. */
  #flat({ name, shape, data }: Output, inputs: number, dimensions: number): unknown[] {
    const fits = shape.length === dimensions && shape[0] === inputs;
    const flat = fits ? flatten(data, shape) : undefined;
    if (flat !== undefined) return flat;
    throw new TouchmarkError(
      'SUSPECT_ANSWER_INVALID',
      `the model at ${this.#connection.shown} answers ${inputs} inputs with output "${name}" of shape [${shape}] and ${data.length} values`,
      {
        hint: `its shape must be ${dimensions === 1 ? '[n]' : '[n, K]'} and its data must fill it`,
      },
    );
  }
}

function modelAddress(url: URL): URL {
  const [, base, model, version = ''] =
    /^(.*)\/v2\/models\/([^/]+)(\/versions\/[^/]+)?(?:\/infer)?\/?$/.exec(url.pathname) ?? [];
  const named = url.searchParams.get('model');
  if (model !== undefined)
    return Object.assign(new URL(url), { pathname: `${base}/v2/models/${model}${version}` });
  if (named === null || named === '') {
    throw new TouchmarkError('USAGE', `the address ${display(url)} names no model`, {
      hint: 'write kserve:http://host:port/v2/models/NAME or kserve:http://host:port?model=NAME',
    });
  }
  const whole = below(url, `/v2/models/${encodeURIComponent(named)}`);
  whole.searchParams.delete('model');
  return whole;
}

function below(url: URL, path: string): URL {
  return Object.assign(new URL(url), { pathname: url.pathname.replace(/\/+$/, '') + path });
}

function above(url: URL, path: string): URL {
  const base = url.pathname.slice(0, url.pathname.lastIndexOf('/v2/models/'));
  return Object.assign(new URL(url), { pathname: base + path });
}

function isText(inputs: readonly Input[]): inputs is readonly string[] {
  return typeof inputs[0] === 'string';
}

function textTensor(inputs: readonly string[]) {
  return { datatype: 'BYTES', shape: [inputs.length], data: inputs };
}

function numberTensor(inputs: readonly Input[]) {
  const tensors = inputs.filter((input): input is TensorInput => typeof input !== 'string');
  const shape = [tensors.length, ...(tensors[0]?.shape ?? [])];
  return { datatype: 'FP32', shape, data: tensors.flatMap(({ data }) => Array.from(data)) };
}

function jsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
