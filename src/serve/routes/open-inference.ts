import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Input } from '../../contracts.ts';
import { shown } from '../../models/adapters/excerpt.ts';
import { flatten } from '../../models/adapters/tensors.ts';
import type { Answering, ServedAnswer, ServedModel } from '../answering.ts';
import { withinDeadline } from '../deadline.ts';
import { RequestError } from '../failures.ts';
import { checkBatch, invalid, readNumbers, readTexts } from '../inputs.ts';
import type { Limits } from '../limits.ts';
import { readDocument } from './documents.ts';
import { sendReadiness } from './health.ts';

const inferenceRequest = z.object({
  id: z.string('must be a string').max(256, 'must have at most 256 characters').optional(),
  inputs: z
    .array(
      z.object({
        datatype: z.string('must be a string'),
        shape: z.array(z.int('must be a whole number').min(0, 'must not be negative')).max(16),
        data: z.array(z.unknown(), 'must be an array; binary tensor data is not supported'),
      }),
    )
    .length(1, 'must hold exactly one tensor'),
  outputs: z.array(z.object({ name: z.string('must be a string') })).optional(),
});
type InputTensor = z.infer<typeof inferenceRequest>['inputs'][number];

interface ModelPath {
  readonly name: string;
  readonly version?: string;
}

const outputNames = ['probabilities', 'label'];

/**
 * Adds the Open Inference Protocol v2 over REST: server and model metadata, readiness, inference.
 *
 * Text is a BYTES tensor [n], tensors are FP32 [n, ...]; `outputs` selects among `probabilities`
 * FP32 [n, K] and `label` BYTES [n], both when absent. Probabilities are written with all the
 * digits of a 64-bit float, so that a client can read them as either width.
 */
export function addOpenInferenceRoutes(
  server: FastifyInstance,
  answering: Answering,
  limits: Limits,
): void {
  const { model } = answering;
  const infer = async (request: FastifyRequest<{ Params: ModelPath }>, reply: FastifyReply) => {
    checkPath(model, request.params);
    const { id, inputs, outputs } = readDocument(inferenceRequest, request.body, 'the body');
    const wanted = readOutputNames(outputs);
    const wants = { probabilities: wanted.has('probabilities') };
    const asked = { tenant: request.tenant, inputs: readTensor(inputs[0]!, model, limits), wants };
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

function readTensor(tensor: InputTensor, { input }: ServedModel, limits: Limits): readonly Input[] {
  const { datatype, shape, data } = tensor;
  const expected = input === 'text' ? 'BYTES' : 'FP32';
  if (datatype !== expected) {
    throw invalid(`inputs[0].datatype is ${shown(datatype)}; this model takes ${expected}`);
  }
  const [count, ...rest] = shape;
  const item = input === 'text' ? [] : input.tensor;
  if (count === undefined || rest.join() !== item.join()) {
    throw invalid(`inputs[0].shape is [${shape}]; this model takes [${['n', ...item].join(', ')}]`);
  }
  checkBatch(count, limits);
  const flat = flatten(data, shape);
  if (flat === undefined) {
    throw invalid(
      `inputs[0].data holds ${data.length} entries and does not fill the shape [${shape}]; make them agree`,
    );
  }
  const place = 'inputs[0].data';
  if (input === 'text') return readTexts(flat, place, limits);
  const numbers = readNumbers(flat, (position) => `${place}[${position}]`);
  const size = numbers.length / count;
  return Array.from({ length: count }, (_, row) => ({
    shape: item,
    data: numbers.slice(row * size, (row + 1) * size),
  }));
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
