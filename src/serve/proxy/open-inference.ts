import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { canonicalInput } from '../../keys/canonical-input.ts';
import { flatten } from '../../models/adapters/tensors.ts';
import type { ServedAnswer, ServedModel } from '../answering.ts';
import { withinDeadline } from '../deadline.ts';
import type { Front } from '../front.ts';
import { readDocument } from '../fronts/documents.ts';
import { inferenceRequest, readInputTensor } from '../fronts/open-inference-wire.ts';
import type { Limits } from '../limits.ts';
import type { Marking } from '../marking.ts';
import { literal, passThrough } from './pass-through.ts';
import {
  meanwhile,
  readJson,
  requireSuccess,
  type UpstreamConnection,
  unusable,
} from './upstream-connection.ts';

export interface OpenInferenceProxyOptions {
  readonly upstream: UpstreamConnection;
  /** Path of the model at the upstream and here: `/v2/models/NAME`, perhaps with a version. */
  readonly path: string;
  readonly model: ServedModel;
  readonly marking: Marking;
}

const inferenceReply = z.object({
  model_name: z.string().optional(),
  model_version: z.string().optional(),
  id: z.string().optional(),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.int().min(0)).max(8),
      data: z.custom<readonly unknown[]>(Array.isArray, 'not a list'),
    }),
  ),
});
type Output = z.infer<typeof inferenceReply>['outputs'][number];

/**
 * Stands before an Open Inference v2 REST server: clients go on speaking to their model, and
 * `probabilities` and `label` are marked on their way back.
 *
 * Requests are written anew from what was read of them, so that the upstream cannot read another
 * question than the log has: other members of a body are left out. Other outputs of the model are left out of the answer: they could tell
 * what it says without the mark.
 */
export function openInferenceProxy(options: OpenInferenceProxyOptions): Front {
  return {
    asks: `POST ${options.path}/infer`,
    add: (scope, limits) => addRoutes(scope, options, limits),
  };
}

function addRoutes(
  scope: FastifyInstance,
  { upstream, path, model, marking }: OpenInferenceProxyOptions,
  limits: Limits,
): void {
  scope.post(`${literal(path)}/infer`, async (request: FastifyRequest, reply: FastifyReply) => {
    const document = readDocument(inferenceRequest, request.body, 'the body');
    const { inputs: tensors, outputs = [] } = document;
    const inputs = readInputTensor(tensors[0]!, model, limits).map(canonicalInput);
    request.charge(inputs.length);
    const answer = await withinDeadline(reply, limits.answerMilliseconds, async (signal) => {
      const sending = upstream.send({
        method: 'POST',
        path: `${path}/infer`,
        body: JSON.stringify(asked(document)),
        signal,
      });
      const { tenant, marked: isMarked } = request;
      const [prepared, sent] = await meanwhile(sending, () =>
        marking.prepare({ tenant, inputs, marked: isMarked }),
      );
      requireSuccess(sent);
      const answered = readReply(sent.body);
      const [probabilities, clean] = probabilitiesIn(answered.outputs, inputs.length, model);
      const answers = await prepared.serve({
        clean,
        ...(answered.model_version !== undefined && { modelVersion: answered.model_version }),
      });
      const marked = answered.outputs.flatMap((output) => {
        if (output === probabilities) return [withProbabilities(output, answers)];
        return output.name === 'label' ? [withLabels(output, answers, model)] : [];
      });
      const wanted = new Set(outputs.map(({ name }) => name));
      const kept = wanted.size === 0 ? marked : marked.filter(({ name }) => wanted.has(name));
      return { ...answered, outputs: kept };
    });
    return answer;
  });
  passThrough(scope, upstream, [path, `${path}/ready`, '/v2']);
}

/** Whatever outputs the client wants, the probabilities are needed to mark them. */
function asked(document: z.infer<typeof inferenceRequest>): object {
  const { outputs = [] } = document;
  if (outputs.length === 0 || outputs.some(({ name }) => name === 'probabilities')) return document;
  return { ...document, outputs: [...outputs, { name: 'probabilities' }] };
}

function readReply(body: Buffer): z.infer<typeof inferenceReply> {
  const parsed = inferenceReply.safeParse(readJson(body));
  if (parsed.success) return parsed.data;
  throw unusable(`does not fit the protocol: ${z.prettifyError(parsed.error)}`);
}

function probabilitiesIn(
  outputs: readonly Output[],
  inputs: number,
  { labels }: ServedModel,
): [Output, ArrayLike<number>[]] {
  const output = outputs.find(({ name }) => name === 'probabilities');
  if (output === undefined) throw unusable('has no output "probabilities"');
  const { shape, data } = output;
  const width = labels.length;
  const fits = shape.length === 2 && shape[0] === inputs && shape[1] === width;
  const flat = fits ? flatten(data, shape) : undefined;
  if (flat === undefined || !flat.every((value) => typeof value === 'number')) {
    throw unusable(`has probabilities of shape [${shape}] for ${inputs} inputs of ${width} labels`);
  }
  const rows: unknown[][] = [];
  for (let from = 0; from < flat.length; from += width) rows.push(flat.slice(from, from + width));
  return [output, rows as number[][]];
}

function withProbabilities(output: Output, answers: readonly ServedAnswer[]): Output {
  return { ...output, data: answers.flatMap(({ probabilities }) => probabilities) };
}

function withLabels(
  output: Output,
  answers: readonly ServedAnswer[],
  { labels }: ServedModel,
): Output {
  const named = output.datatype === 'BYTES';
  const data = answers.map(({ label }) => (named ? labels[label] : label));
  return { ...output, shape: [answers.length], data };
}
