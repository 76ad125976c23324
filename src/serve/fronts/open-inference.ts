import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { shown } from '../../models/adapters/excerpt.ts';
import type { Answering, ServedAnswer, ServedModel } from '../answering.ts';
import { withinDeadline } from '../deadline.ts';
import { RequestError } from '../failures.ts';
import type { Front } from '../front.ts';
import { sendReadiness } from '../health.ts';
import { invalid } from '../inputs.ts';
import type { Limits } from '../limits.ts';
import { readDocument } from './documents.ts';
import { inferenceRequest, readInputTensor } from './open-inference-wire.ts';

interface ModelPath {
  readonly name: string;
  readonly version?: string;
}

const outputNames = ['probabilities', 'label'];

/**
 * Speaks the Open Inference Protocol v2 over REST for any model: server and model metadata,
 * readiness, inference.
 *
 * Text is a BYTES tensor [n], tensors are FP32 [n, ...]; `outputs` selects among `probabilities`
 * FP32 [n, K] and `label` BYTES [n], both when absent. Probabilities are written with all the
 * digits of a 64-bit float, so that a client can read them as either width.
 */
export function openInferenceFront(answering: Answering): Front {
  return {
    asks: 'POST /v2/models/NAME/infer',
    add: (scope, limits) => addRoutes(scope, answering, limits),
  };
}

function addRoutes(server: FastifyInstance, answering: Answering, limits: Limits): void {
  const { model } = answering;
  const infer = async (request: FastifyRequest<{ Params: ModelPath }>, reply: FastifyReply) => {
    checkPath(model, request.params);
    const { id, inputs, outputs } = readDocument(inferenceRequest, request.body, 'the body');
    const wanted = readOutputNames(outputs);
    const wants = { probabilities: wanted.has('probabilities') };
    const { tenant, marked } = request;
    const asked = { tenant, marked, inputs: readInputTensor(inputs[0]!, model, limits), wants };
    request.charge(asked.inputs.length);
    const answers = await withinDeadline(reply, limits.answerMilliseconds, (signal) =>
      answering.answer(asked, { signal }),
    );
    return {
      model_name: model.name,
      model_version: model.version,
      ...(id === undefined ? {} : { id }),
      outputs: writeOutputs(answers, model, wanted),
    };
  };
  server.get('/v2', () => ({ name: 'touchmark', version: '2', extensions: [] }));
  for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    server.post(`${path}/infer`, infer);
    server.get<{ Params: ModelPath }>(path, async ({ params }) => {
      checkPath(model, params);
      return metadata(model);
    });
    server.get<{ Params: ModelPath }>(`${path}/ready`, async ({ params }, reply) => {
      checkPath(model, params);
      return sendReadiness(reply, answering, { name: model.name });
    });
  }
}

function metadata({ name, version, labels, input }: ServedModel): object {
  const text = input === 'text';
  return {
    name,
    versions: [version],
    platform: 'touchmark',
    inputs: [
      {
        name: 'input',
        datatype: text ? 'BYTES' : 'FP32',
        shape: text ? [-1] : [-1, ...input.tensor],
      },
    ],
    outputs: [
      {
        name: 'probabilities',
        datatype: 'FP32',
        shape: [-1, labels.length],
        parameters: { labels },
      },
      { name: 'label', datatype: 'BYTES', shape: [-1] },
    ],
    parameters: { labels },
  };
}

function checkPath(model: ServedModel, path: ModelPath): void {
  if (path.name !== model.name) {
    throw new RequestError(404, `unknown model ${shown(path.name)}; this is "${model.name}"`);
  }
  if (path.version !== undefined && path.version !== model.version) {
    throw new RequestError(
      404,
      `unknown version ${shown(path.version)} of "${model.name}"; this is "${model.version}"`,
    );
  }
}

function readOutputNames(outputs: readonly { name: string }[] = []): ReadonlySet<string> {
  for (const [position, { name }] of outputs.entries()) {
    if (outputNames.includes(name)) continue;
    throw invalid(
      `outputs[${position}].name is ${shown(name)}; this model has ${outputNames.join(' and ')}`,
    );
  }
  return new Set(outputs.length === 0 ? outputNames : outputs.map(({ name }) => name));
}

function writeOutputs(
  answers: readonly ServedAnswer[],
  { labels }: ServedModel,
  wanted: ReadonlySet<string>,
): object[] {
  const probabilities = {
    name: 'probabilities',
    datatype: 'FP32',
    shape: [answers.length, labels.length],
    data: answers.flatMap((answer) => answer.probabilities),
  };
  const label = {
    name: 'label',
    datatype: 'BYTES',
    shape: [answers.length],
    data: answers.map((answer) => labels[answer.label]),
  };
  return [probabilities, label].filter(({ name }) => wanted.has(name));
}
