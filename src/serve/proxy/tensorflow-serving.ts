import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { canonicalInput } from '../../keys/canonical-input.ts';
import type { ServedModel } from '../answering.ts';
import { withinDeadline } from '../deadline.ts';
import type { Front } from '../front.ts';
import { readDocument } from '../fronts/documents.ts';
import { invalid, readInputs } from '../inputs.ts';
import type { Limits } from '../limits.ts';
import type { Marking } from '../marking.ts';
import { literal, passThrough } from './pass-through.ts';
import { readClassified, readPredicted, type WireRows } from './tensorflow-serving-rows.ts';
import {
  meanwhile,
  readJson,
  requireSuccess,
  type UpstreamConnection,
} from './upstream-connection.ts';

export interface TensorFlowServingProxyOptions {
  readonly upstream: UpstreamConnection;
  /** Path of the model at the upstream and here: `/v1/models/NAME`, perhaps with a version or label. */
  readonly path: string;
  readonly model: ServedModel;
  readonly marking: Marking;
}

const signature_name = z.string('must be a string').max(256).optional();
const predictRequest = z.object({
  signature_name,
  instances: z.array(z.unknown(), 'must be an array; write the request in row format'),
});
const classifyRequest = z.object({
  signature_name,
  examples: z.array(z.record(z.string(), z.unknown(), 'must be an object of features')),
  context: z.undefined('is not supported; put every feature into the examples').optional(),
});

/**
 * Stands before a TensorFlow Serving REST server: `:predict` in row format and `:classify`, whose
 * probabilities, scores and labels are marked on their way back.
 *
 * Requests are written anew from what was read of them, `signature_name` and the rows; outputs that are
 * neither probabilities nor labels are left out of the answer, as in `openInferenceProxy`.
 */
export function tensorFlowServingProxy(options: TensorFlowServingProxyOptions): Front {
  return {
    asks: `POST ${options.path}:predict`,
    add: (scope, limits) => addRoutes(scope, options, limits),
  };
}

function addRoutes(
  scope: FastifyInstance,
  { upstream, path, model, marking }: TensorFlowServingProxyOptions,
  limits: Limits,
): void {
  const serve = async (
    request: FastifyRequest,
    reply: FastifyReply,
    verb: string,
    document: object,
    asked: readonly unknown[],
    read: (body: unknown, inputs: number, model: ServedModel) => WireRows,
  ) => {
    const inputs = readInputs(asked.map(onlyValue), model.input, limits).map(canonicalInput);
    request.charge(inputs.length);
    const { tenant, marked } = request;
    return withinDeadline(reply, limits.answerMilliseconds, async (signal) => {
      const body = JSON.stringify(document);
      const sending = upstream.send({ method: 'POST', path: `${path}:${verb}`, body, signal });
      const [prepared, sent] = await meanwhile(sending, () =>
        marking.prepare({ tenant, marked, inputs }),
      );
      requireSuccess(sent);
      const { clean, write } = read(readJson(sent.body), inputs.length, model);
      return write(await prepared.serve({ clean }));
    });
  };
  scope.post(`${literal(path)}::predict`, (request, reply) => {
    const document = readDocument(predictRequest, request.body, 'the body');
    return serve(request, reply, 'predict', document, document.instances, readPredicted);
  });
  scope.post(`${literal(path)}::classify`, (request, reply) => {
    const document = readDocument(classifyRequest, request.body, 'the body');
    return serve(request, reply, 'classify', document, document.examples, readClassified);
  });
  passThrough(scope, upstream, [path, `${path}/metadata`]);
}

/** An instance is the input, or an object that names it; several inputs are another model's. */
function onlyValue(instance: unknown): unknown {
  if (typeof instance !== 'object' || instance === null || Array.isArray(instance)) return instance;
  const values: unknown[] = Object.values(instance);
  if (values.length === 1 && !Object.hasOwn(instance, 'b64')) return values[0];
  throw invalid('an instance has other than one input; this model takes one, as text or numbers');
}
