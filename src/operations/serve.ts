import type { Progress } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { openServingLog } from '../ledger/serving-log.ts';
import type { ServedModel } from '../serve/answering.ts';
import { classifierFronts } from '../serve/fronts/registry.ts';
import { createGateway } from '../serve/gateway.ts';
import { createMarking } from '../serve/marking.ts';
import { createPipeline } from '../serve/pipeline.ts';
import { sealProfile } from '../serve/profile-sealing.ts';
import { TenantTable } from '../store/api-keys.ts';
import type { KeyRing } from '../store/key-ring.ts';
import { readProfile, requireProfileLabels, writeProfile } from '../store/profile-file.ts';
import { readInputFile } from '../store/project-files.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { openProject, openProjectRing, type Project, type ProjectOptions } from './project.ts';
import { openUpstream, type Upstream } from './upstream.ts';

export interface ServeOptions extends ProjectOptions {
  /** Stops the start; a service that runs is stopped with `stop`. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Hears what the operator should know but nothing is wrong with. */
  readonly onNotice: (text: string) => void;
  /** Hears of requests that failed on this side of the wire. */
  readonly onFailure: (error: unknown) => void;
}

/** A gateway that answers. */
export interface Service {
  /** `http://host:port` */
  readonly address: string;
  readonly model: ServedModel;
  readonly tenants: readonly string[];
  /** Lets requests under way finish, then closes the log and the upstream. */
  stop(): Promise<void>;
}

/**
 * Starts the gateway of a project; seals the watermark profile first where there is none.
 *
 * @throws TouchmarkError CONFIG_INVALID, STORE_LOCKED when another gateway has the log, errors of
 *   the key ring and of the upstream, USAGE when the port is taken; nothing stays open then
 */
export async function startService(options: ServeOptions): Promise<Service> {
  const project = await openProject(options);
  const { config, environment } = project;
  const keyRing = await openProjectRing(project);
  requireEpochs(project, keyRing);
  const tenants = new TenantTable(
    config.tenants.map(({ id, apiKeySha256 }) => ({ tenant: id, apiKeySha256 })),
  );
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    while (closers.length > 0) await closers.pop()?.();
  };
  try {
    const { directory, ...logSettings } = config.log;
    const log = await openServingLog(directory, {
      ...logSettings,
      signingKey: keyRing.signingKey(),
    });
    closers.push(() => log.close());
    const upstream = await openUpstream(config, { environment, signal: options.signal });
    closers.push(() => upstream.classifier.close());
    const profile = await profileOf(project, upstream, options);
    options.signal.throwIfAborted();
    const answering = createPipeline({
      upstream: upstream.classifier,
      model: upstream.model,
      marking: createMarking({
        profile,
        modelVersion: upstream.model.version,
        keys: keyRing,
        log,
        clock: () => new Date(),
      }),
    });
    const gateway = createGateway({
      service: answering,
      fronts: classifierFronts(answering),
      tenants: (apiKey) => tenants.find(apiKey),
      onFailure: options.onFailure,
    });
    closers.push(() => gateway.close());
    const address = await gateway.listen(config.serve);
    return { address, model: upstream.model, tenants: config.tenants.map(({ id }) => id), stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function profileOf(
  { profilePath, config }: Project,
  { classifier, model }: Upstream,
  { signal, progress, onNotice }: ServeOptions,
): Promise<ClassifierProfile> {
  const sealed = await readProfile(profilePath);
  if (sealed !== undefined) {
    requireProfileLabels(profilePath, sealed, model.labels);
    return sealed;
  }
  const inputs = await readInputFile(config.inputs.twin);
  if (inputs.length === 0 && model.input !== 'text') {
    throw new TouchmarkError('INPUT_INVALID', `${config.inputs.twin} holds no inputs.`, {
      hint: 'A watermark on tensors is measured on some: put at least a hundred there (.jsonl).',
    });
  }
  if (inputs.length < 1400) {
    onNotice(
      `${config.inputs.twin} holds ${inputs.length} questions: with fewer than 1400 the strength of the watermark is a guess. It is sealed now and stays.`,
    );
  }
  const { labels } = model;
  const targets = config.watermark;
  const freshInputs = await readInputFile(config.inputs.fresh);
  const profile = await sealProfile({
    classifier,
    labels,
    inputs,
    freshInputs,
    targets,
    signal,
    progress,
  });
  await writeProfile(profilePath, profile);
  return profile;
}

/** Every tenant needs a commitment before its first answer. */
function requireEpochs({ path, config }: Project, keyRing: KeyRing): void {
  const known = new Set(keyRing.tenants());
  const missing = config.tenants.find(({ id }) => !known.has(id));
  if (missing !== undefined) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `The tenant "${missing.id}" has no epoch in the key ring ${keyRing.path}.`,
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
