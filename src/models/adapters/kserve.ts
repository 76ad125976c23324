import { z } from 'zod';
import type { Description, Input, Missing, TensorInput } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { parseAddress } from './address.ts';
import { namedLabels } from './columns.ts';
import { excerpt, shown } from './excerpt.ts';
import { busy, notOffered } from './failures.ts';
import { above, below, modelAddress } from './kserve-address.ts';
import { type KserveModel, readMetadata, unknownModel } from './kserve-metadata.ts';
import {
  type Connection,
  learn,
  openRemote,
  type RemoteClassifier,
  type RemoteOptions,
} from './remote.ts';
import { checkReply, invalidAnswer, wireLabel } from './replies.ts';
import { flatten } from './tensors.ts';
import type { WireAnswers } from './wire-answers.ts';

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
 * a null label is a refusal. The labels of the K columns come from the model's metadata, else from
 * `suspectLabels`, else as `columnsOf` says.
 *
 * Only `POST /infer` is needed. Readiness and metadata may be missing: then `describe` asks
 * `example`, and the input tensor is called "text", or "input" for tensors. Errors as for
 * `openRemote`.
 */
export function openKserve(address: string, options: RemoteOptions): RemoteClassifier {
  const model = modelAddress(parseAddress(address));
  return openRemote(model.href, options, (connection) => new OpenInference(connection));
}

/** One model behind the protocol; its metadata is read once. */
class OpenInference {
  readonly #connection: Connection;
  #metadata: Promise<KserveModel> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async describe(signal: AbortSignal): Promise<Description> {
    const { shown: address, options } = this.#connection;
    const model = await this.#model(signal);
    const { name = address, version, outputs } = model;
    await this.#requireReady(signal);
    const identity = { name, ...(version === undefined ? {} : { version }) };
    const labels = namedLabels(model, options);
    const probabilities = outputs.has('probabilities');
    const clear = probabilities ? labels !== undefined : outputs.has('label');
    if (!clear) return { ...identity, ...(await this.#learn(signal)) };
    return {
      ...identity,
      ...(labels === undefined ? {} : { labels }),
      gives:
        probabilities && options.labelsOnly !== true ? ['labels', 'probabilities'] : ['labels'],
    };
  }

  async #learn(signal: AbortSignal): Promise<Pick<Description, 'labels' | 'gives'>> {
    const { shown, example } = this.#connection;
    const wire = await this.ask([example], signal);
    if (typeof wire !== 'string') return learn(wire, this.#connection);
    const { input } = await this.#model(signal);
    const kind = typeof example === 'string' ? 'text' : 'a tensor';
    throw new TouchmarkError(
      'SUSPECT_ANSWER_INVALID',
      `the model at ${shown} takes ${excerpt(input?.datatype ?? '')} input, and the example is ${kind}`,
      {
        hint: 'a suspect must take what the protected model takes: text as BYTES, tensors as FP32',
      },
    );
  }

  async ask(inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers | Missing> {
    const { url, shown, transport, options } = this.#connection;
    const { input, outputs: offered, labels } = await this.#model(signal);
    const { name, ...tensor } = isText(inputs) ? textTensor(inputs) : numberTensor(inputs);
    if (input?.datatype !== undefined && input.datatype !== tensor.datatype) return 'unsupported';
    const narrow = options.labelsOnly === true && offered.has('label');
    const request = {
      inputs: [{ name: input?.name ?? name, ...tensor }],
      ...(narrow ? { outputs: [{ name: 'label' }] } : {}),
    };
    const answer = await transport.post(below(url, '/infer'), request, signal);
    const { outputs } = checkReply(reply, answer, shown);
    return this.#answers(outputs, inputs.length, labels);
  }

  /** A server without this route is taken to be ready: asking will tell. */
  async #requireReady(signal: AbortSignal): Promise<void> {
    const { url, transport } = this.#connection;
    try {
      await transport.get(above(url, '/v2/health/ready'), signal);
    } catch (error) {
      if (!notOffered(error)) throw error;
    }
  }

  async #model(signal: AbortSignal): Promise<KserveModel> {
    this.#metadata ??= this.#readModel(signal);
    try {
      return await this.#metadata;
    } catch (error) {
      this.#metadata = undefined;
      throw error;
    }
  }

  /** A server that is only busy is not one without metadata: that error stands. */
  async #readModel(signal: AbortSignal): Promise<KserveModel> {
    const { url, transport } = this.#connection;
    try {
      return readMetadata(await transport.get(url, signal));
    } catch (error) {
      if (notOffered(error) && !busy(error)) return unknownModel;
      throw error;
    }
  }

  #answers(outputs: readonly Output[], inputs: number, labels?: readonly string[]): WireAnswers {
    const probabilities = outputs.find(({ name }) => name === 'probabilities');
    const label = outputs.find(({ name }) => name === 'label');
    return {
      labels,
      probabilities: probabilities && this.#rows(probabilities, inputs),
      answers: label && this.#names(label, inputs),
      came: outputs.map(({ name }) => `output ${name}`),
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
    throw invalidAnswer(
      this.#connection.shown,
      `holds output ${shown(name)} of shape [${shape}] and ${data.length} values for ${inputs} inputs`,
      `its shape must be ${dimensions === 1 ? '[n]' : '[n, K]'} and its data must fill it`,
    );
  }
}

function isText(inputs: readonly Input[]): inputs is readonly string[] {
  return typeof inputs[0] === 'string';
}

function textTensor(inputs: readonly string[]) {
  return { name: 'text', datatype: 'BYTES', shape: [inputs.length], data: inputs };
}

function numberTensor(inputs: readonly Input[]) {
  const tensors = inputs.filter((input): input is TensorInput => typeof input !== 'string');
  const shape = [tensors.length, ...(tensors[0]?.shape ?? [])];
  return {
    name: 'input',
    datatype: 'FP32',
    shape,
    data: tensors.flatMap(({ data }) => Array.from(data)),
  };
}
