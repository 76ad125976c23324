import { z } from 'zod';
import type { Description, Input, Missing } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { display, parseAddress } from './address.ts';
import { busy, notOffered } from './failures.ts';
import {
  type Connection,
  learn,
  openRemote,
  type Protocol,
  type RemoteClassifier,
  type RemoteOptions,
} from './remote.ts';
import { invalidAnswer } from './replies.ts';
import { nest } from './tensors.ts';
import { type PredictionReader, readClassifications, readPredictions } from './tfserving-rows.ts';
import type { WireAnswers } from './wire-answers.ts';

const dtype = z.object({ dtype: z.string().optional() });
const signature = z.object({ inputs: z.record(z.string(), dtype) });
const metadata = z.object({
  model_spec: z.object({ name: z.string().max(256), version: z.string().max(256).optional() }),
  metadata: z.object({
    signature_def: z.object({ signature_def: z.record(z.string(), signature) }),
  }),
});
type Metadata = z.infer<typeof metadata>;

/**
 * Returns the classifier behind a TensorFlow Serving REST server, `tfserving:URL`.
 *
 * The address is `http://host:port/v1/models/NAME`, with `/versions/N` or `/labels/LABEL` behind it,
 * and `:predict` (the default) or `:classify` at its end. `:predict` sends `{"instances": [...]}`, text
 * as strings and tensors nested, and reads `predictions` as `readPredictions` says; `?signature=NAME`
 * asks another signature. `:classify` sends `{"examples": [{FEATURE: value}]}` with the feature of
 * `?feature=NAME`, by default "text", or "input" for tensors, and reads lists of labels and scores.
 * Where `GET .../metadata` tells what the input is, inputs of another kind are 'unsupported'.
 *
 * @throws USAGE for an address that names no model; else as `openRemote`.
 * @see https://www.tensorflow.org/tfx/serving/api_rest
 */
export function openTensorFlowServing(address: string, options: RemoteOptions): RemoteClassifier {
  const url = parseAddress(address);
  const parts =
    /^(.*\/v1\/models\/[^/:]+(?:\/(?:versions|labels)\/[^/:]+)?)(?::(predict|classify))?\/?$/.exec(
      url.pathname,
    );
  if (parts === null) {
    throw new TouchmarkError('USAGE', `the address ${display(url)} names no model`, {
      hint: 'write tfserving:http://host:port/v1/models/NAME, with :predict or :classify behind it',
    });
  }
  const [, model = '', verb = 'predict'] = parts;
  return openRemote(url.href, options, (connection) => new Serving(connection, model, verb));
}

class Serving implements Protocol {
  readonly #connection: Connection;
  readonly #model: string;
  readonly #verb: string;
  readonly #query: URLSearchParams;
  #metadata: Promise<Metadata | undefined> | undefined;

  constructor(connection: Connection, model: string, verb: string) {
    this.#connection = connection;
    this.#model = model;
    this.#verb = verb;
    this.#query = connection.url.searchParams;
  }

  async describe(signal: AbortSignal): Promise<Description> {
    const { example, shown } = this.#connection;
    const spec = (await this.#readMetadata(signal))?.model_spec;
    const wire = await this.ask([example], signal);
    if (typeof wire === 'string') {
      throw invalidAnswer(
        shown,
        `says in its metadata that it takes no ${typeof example === 'string' ? 'text' : 'tensors'}`,
        'a suspect must take what the protected model takes',
      );
    }
    return {
      name: spec?.name ?? shown,
      ...(spec?.version !== undefined && { version: spec.version }),
      ...learn(wire, this.#connection),
    };
  }

  async ask(inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers | Missing> {
    const { transport, shown } = this.#connection;
    const text = typeof inputs[0] === 'string';
    const classify = this.#verb === 'classify';
    if (!classify && !this.#takes(await this.#readMetadata(signal), text)) return 'unsupported';
    const values = inputs.map((input) => (typeof input === 'string' ? input : nest(input)));
    const name = this.#query.get('signature');
    const body = {
      ...(name !== null && { signature_name: name }),
      ...(classify ? { examples: this.#examples(inputs) } : { instances: values }),
    };
    const reply = await transport.post(this.#address(`:${this.#verb}`), body, signal);
    const read: PredictionReader = classify ? readClassifications : readPredictions;
    return read(reply, inputs.length, shown);
  }

  /** Features of tf.Example are flat. */
  #examples(inputs: readonly Input[]): readonly object[] {
    const feature = this.#query.get('feature');
    return inputs.map((input) =>
      typeof input === 'string'
        ? { [feature ?? 'text']: input }
        : { [feature ?? 'input']: Array.from(input.data) },
    );
  }

  #takes(known: Metadata | undefined, text: boolean): boolean {
    const name = this.#query.get('signature') ?? 'serving_default';
    const signatures = known?.metadata.signature_def.signature_def ?? {};
    const inputs = Object.hasOwn(signatures, name) ? Object.values(signatures[name]!.inputs) : [];
    if (inputs.length !== 1 || inputs[0]?.dtype === undefined) return true;
    return (inputs[0].dtype === 'DT_STRING') === text;
  }

  async #readMetadata(signal: AbortSignal): Promise<Metadata | undefined> {
    this.#metadata ??= this.#fetchMetadata(signal);
    try {
      return await this.#metadata;
    } catch (error) {
      this.#metadata = undefined;
      throw error;
    }
  }

  /** A server without metadata, or with some that cannot be read, is asked all the same. */
  async #fetchMetadata(signal: AbortSignal): Promise<Metadata | undefined> {
    try {
      const document = await this.#connection.transport.get(this.#address('/metadata'), signal);
      return metadata.safeParse(document).data;
    } catch (error) {
      if (notOffered(error) && !busy(error)) return undefined;
      throw error;
    }
  }

  #address(behind: string): URL {
    const address = new URL(this.#connection.url);
    address.pathname = `${this.#model}${behind}`;
    address.searchParams.delete('signature');
    address.searchParams.delete('feature');
    return address;
  }
}
