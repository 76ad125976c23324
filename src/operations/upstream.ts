import type { Environment } from '../config/overrides.ts';
import type { Config } from '../config/schema.ts';
import type { Description } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { createLabelMatcher } from '../models/adapters/label-mapping.ts';
import { openClassifier } from '../models/adapters/registry.ts';
import type { RemoteClassifier, RemoteOptions } from '../models/adapters/remote.ts';
import type { ServedModel } from '../serve/answering.ts';

/** The protected model, ready to be asked. */
export interface Upstream {
  readonly classifier: RemoteClassifier;
  readonly model: ServedModel;
  /** Where its own protocol can pass through: the columns of its probabilities are our labels. */
  readonly inFlight?: InFlight;
}

/** A server whose clients can go on speaking to it through a gateway. */
export interface InFlight {
  readonly protocol: 'kserve' | 'tfserving';
  /** The server, with what stands before the protocol's paths. */
  readonly server: URL;
  /** The model's path in the protocol. */
  readonly path: string;
}

export interface UpstreamOptions extends Pick<RemoteOptions, 'timeoutMilliseconds' | 'retries'> {
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

/**
 * Opens the protected model and learns its labels and version by asking it once.
 *
 * @throws TouchmarkError UPSTREAM_FAILED or UPSTREAM_ANSWER_INVALID when it does not answer with
 *   probabilities; CONFIG_INVALID when its labels are unknown or lack one that is configured
 */
export async function openUpstream(
  { model }: Pick<Config, 'model'>,
  { environment, signal, ...transport }: UpstreamOptions,
): Promise<Upstream> {
  const bearer = bearerOf(model.bearerEnvironment, environment);
  const example = exampleOf(model.input);
  const open = (labels: readonly string[]) =>
    openClassifier(model.upstream, {
      ...transport,
      labels,
      ...(bearer === undefined ? {} : { bearer }),
      ...(example === undefined ? {} : { example }),
      ...(model.labels === undefined ? {} : { suspectLabels: model.labels }),
    });
  const described = await describe(open(model.labels ?? []), signal);
  const labels = labelsOf(model, described);
  const version = described.version ?? 'unversioned';
  const given = described.labels ?? labels;
  const inFlight = given.join('\n') === labels.join('\n') ? inFlightOf(model.upstream) : undefined;
  return {
    classifier: open(labels),
    model: { name: model.name, version, labels, input: model.input },
    ...(inFlight && { inFlight }),
  };
}

const protocols = {
  kserve: /^(.*)(\/v2\/models\/[^/]+(?:\/versions\/[^/]+)?)(?:\/infer)?\/?$/,
  tfserving: /^(.*)(\/v1\/models\/[^/:]+(?:\/(?:versions|labels)\/[^/:]+)?)(?::\w+)?\/?$/,
} as const;

function inFlightOf(upstream: string): InFlight | undefined {
  const [, protocol = '', address = ''] = /^([^:]+):(.*)$/s.exec(upstream) ?? [];
  if (protocol !== 'kserve' && protocol !== 'tfserving') return undefined;
  const url = new URL(address);
  const [, base, path] = protocols[protocol].exec(url.pathname) ?? [];
  if (base === undefined || path === undefined || url.search !== '') return undefined;
  return { protocol, server: new URL(`${url.origin}${base}`), path };
}

async function describe(classifier: RemoteClassifier, signal: AbortSignal): Promise<Description> {
  try {
    const description = await classifier.describe({ signal });
    if (description.gives.includes('probabilities')) return description;
    throw new TouchmarkError('UPSTREAM_ANSWER_INVALID', 'The upstream gives no probabilities.', {
      hint: 'The gateway marks probabilities: have the model return them beside its labels.',
    });
  } catch (cause) {
    throw asUpstreamError(cause);
  } finally {
    await classifier.close();
  }
}

/** Adapters speak of suspects; here the model is the owner's. */
function asUpstreamError(cause: unknown): unknown {
  if (!TouchmarkError.isInstance(cause) || !cause.code.startsWith('SUSPECT_')) return cause;
  const invalid = cause.code === 'SUSPECT_ANSWER_INVALID';
  return new TouchmarkError(
    invalid ? 'UPSTREAM_ANSWER_INVALID' : 'UPSTREAM_FAILED',
    `model.upstream: ${cause.message}`,
    { hint: cause.hint.replace(/, then run again to resume$/, ''), cause },
  );
}

function labelsOf(model: Config['model'], { labels: given }: Description): readonly string[] {
  const labels = model.labels ?? given;
  if (labels === undefined || labels.length < 2) {
    throw new TouchmarkError('CONFIG_INVALID', 'The upstream does not say what its labels are.', {
      hint: 'List them under model: labels:, in the order of its probabilities.',
    });
  }
  const match = createLabelMatcher(labels);
  const found = new Set((given ?? labels).map(match));
  const missing = labels.filter((_, position) => !found.has(position));
  if (missing.length === 0) return labels;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `model.labels has ${JSON.stringify(missing[0])}, which the upstream does not have.`,
    { hint: `It has: ${(given ?? []).slice(0, 20).join(', ')}.` },
  );
}

/**
 * Returns the bearer token that a variable holds, if one is named.
 *
 * @throws TouchmarkError CONFIG_INVALID when the variable is not set
 */
export function bearerOf(name: string | undefined, environment: Environment): string | undefined {
  if (name === undefined) return undefined;
  const bearer = environment[name];
  if (bearer !== undefined && bearer !== '') return bearer;
  throw new TouchmarkError('CONFIG_INVALID', `The environment variable ${name} is not set.`, {
    hint: 'model.bearerEnvironment names it: put the bearer token of the upstream there.',
  });
}

function exampleOf(input: Config['model']['input']): RemoteOptions['example'] {
  if (input === 'text') return undefined;
  const size = input.tensor.reduce((product, length) => product * length, 1);
  return { shape: input.tensor, data: new Float32Array(size) };
}
