import type { Config } from '../config/schema.ts';
import { TouchmarkError } from '../errors.ts';
import type { GatewayOptions } from '../serve/gateway.ts';
import { defaultLimits, type Limits } from '../serve/limits.ts';
import type { GatewayKeys } from './keys-open.ts';
import type { Project } from './project.ts';
import { openAuthenticator } from './project-tenants.ts';
import { openClassifierService } from './serving-classifier.ts';
import {
  type HeldUpstream,
  identityOf,
  type ModelService,
  type ServingGround,
} from './serving-parts.ts';
import { isLanguageModel, openTextService } from './serving-text.ts';

/** One reading of the configuration, as a gateway serves it. */
export interface Serving {
  readonly gateway: GatewayOptions;
  readonly service: ModelService;
  readonly tenants: number;
  readonly upstream: HeldUpstream;
}

/**
 * Makes what a gateway serves from a project as it is now.
 *
 * @param earlier the upstream of the reading before, which goes on if the model is still the same
 * @throws TouchmarkError CONFIG_INVALID, and errors of keys, profile and upstream; nothing that was
 *   opened here stays open then
 */
export async function openServing(
  project: Project,
  ground: ServingGround,
  earlier?: HeldUpstream,
): Promise<Serving> {
  const { config } = project;
  const { keys } = ground;
  requireEpochs(project, keys);
  const authenticator = await openAuthenticator(project, ground.onFailure);
  const upstream =
    earlier?.identity === identityOf(config) ? earlier : await openUpstreamOf(project, ground);
  try {
    const service = await upstream.serve({ ...ground, project });
    return {
      service,
      upstream,
      tenants: config.tenants.length,
      gateway: {
        service,
        fronts: service.fronts,
        authenticator,
        quotas: ground.quotas,
        unmarked: config.serve.unmarked,
        limits: limitsOf(config),
        telemetry: ground.telemetry,
        onFailure: ground.onFailure,
      },
    };
  } catch (cause) {
    if (upstream !== earlier) await upstream.close();
    throw cause;
  }
}

function openUpstreamOf(project: Project, ground: ServingGround): Promise<HeldUpstream> {
  return isLanguageModel(project.config)
    ? openTextService(project, ground)
    : openClassifierService(project, ground);
}

/** A connection may be silent for as long as an answer takes. */
function limitsOf({ serve }: Config): Partial<Limits> {
  const answerMilliseconds = 1000 * serve.answerSeconds;
  const idleMilliseconds = Math.max(defaultLimits.idleMilliseconds, 2 * answerMilliseconds);
  return { answerMilliseconds, idleMilliseconds };
}

/** Every tenant needs a commitment before its first answer. */
function requireEpochs({ path, config }: Project, keys: GatewayKeys): void {
  const missing = config.tenants.find(({ id }) => !keys.has(id));
  if (missing !== undefined) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `The tenant "${missing.id}" has no epoch in ${keys.path}.`,
      {
        hint: `Remove it from ${path} and add it with: touchmark keys generate --tenant ${missing.id}`,
      },
    );
  }
  if (config.tenants.length > 0) return;
  throw new TouchmarkError('CONFIG_INVALID', `${path} has no tenants: nobody could ask.`, {
    hint: 'Add one with: touchmark keys generate --tenant NAME',
  });
}
