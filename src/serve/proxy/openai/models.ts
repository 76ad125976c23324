import type { FastifyContextConfig, FastifyInstance, FastifyReply } from 'fastify';
import { withinDeadline } from '../../deadline.ts';
import { RequestError } from '../../failures.ts';
import { literal } from '../pass-through.ts';
import {
  readJson,
  requireSuccess,
  type UpstreamConnection,
  unusable,
} from '../upstream-connection.ts';
import { isDocument, pick } from './reply.ts';

export interface ModelRoutesOptions {
  readonly upstream: UpstreamConnection;
  readonly basePath: string;
  readonly models: readonly string[] | undefined;
  readonly config: FastifyContextConfig;
}

/** What describes a model is short. */
const listMilliseconds = 10_000;
/** Servers tell more of a model, such as where its files lie. */
const members = ['id', 'object', 'created', 'owned_by', 'max_model_len'];

type Listed = Readonly<Record<string, unknown>>;

/** Adds the list of models, as far as they are served, and each of them; only the list is asked for. */
export function addModelRoutes(scope: FastifyInstance, options: ModelRoutesOptions): void {
  const { basePath, config } = options;
  const path = literal(`${basePath}/models`);
  scope.get(path, { config }, async (_, reply) => ({
    object: 'list',
    data: await listModels(reply, options),
  }));
  scope.get<{ Params: { '*': string } }>(`${path}/*`, { config }, async ({ params }, reply) => {
    const found = (await listModels(reply, options)).find(({ id }) => id === params['*']);
    if (found) return found;
    throw new RequestError(404, 'no such model is served here');
  });
}

async function listModels(
  reply: FastifyReply,
  { upstream, basePath, models }: ModelRoutesOptions,
): Promise<readonly Listed[]> {
  const answer = await withinDeadline(reply, listMilliseconds, (signal) =>
    upstream.send({ method: 'GET', path: `${basePath}/models`, signal }),
  );
  requireSuccess(answer);
  const document = readJson(answer.body);
  const data = isDocument(document) ? document['data'] : undefined;
  if (!Array.isArray(data)) throw unusable('is no list of models');
  return data
    .filter(isDocument)
    .filter(({ id }) => typeof id === 'string' && (models?.includes(id) ?? true))
    .map((model) => pick(model, members));
}
