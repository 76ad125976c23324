import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import type { TextConfig } from '../config/text.ts';
import type { Tokenizer } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import {
  openOpenAiLanguageModel,
  type RemoteLanguageModel,
} from '../models/adapters/openai-language-model.ts';
import { upstreamError } from '../models/clean-answers.ts';
import { RequestError } from '../serve/failures.ts';
import { obeysLogitBias } from '../serve/proxy/openai/check.ts';
import { openAiProxy } from '../serve/proxy/openai/front.ts';
import type { OpenAiMode } from '../serve/proxy/openai/mode.ts';
import { UpstreamConnection } from '../serve/proxy/upstream-connection.ts';
import { createTextMarking } from '../serve/text-marking.ts';
import { pathExists, readInputFile, replaceFile } from '../store/project-files.ts';
import type { TextProfile } from '../watermark/text/profile.ts';
import type { Project } from './project.ts';
import { openServedTokenizer } from './served-tokenizer.ts';
import {
  type HeldUpstream,
  identityOf,
  requireUnusedEpochs,
  type ServingGround,
} from './serving-parts.ts';
import { sealTextProfile } from './text-sealing.ts';
import { bearerOf } from './upstream.ts';
import { readTextProfile } from './watermark-open.ts';

const readyMilliseconds = 2_000;
/** Each stream holds one for as long as it lasts. */
const mostConnections = 1_024;

/**
 * Opens a protected language model behind OpenAI's API and makes its service. The mark's profile is
 * sealed first where there is none.
 *
 * @throws TouchmarkError errors of the upstream, of the tokenizer and of the profile
 */
export async function openTextService(
  project: Project,
  ground: ServingGround,
): Promise<HeldUpstream> {
  const { config, directory } = project;
  const tokenizer = await openServedTokenizer(config.text.tokenizer, directory);
  const { connection, basePath, model } = connect(project);
  let profile: TextProfile;
  try {
    await requireObedience(project, { connection, basePath, model, tokenizer }, ground.signal);
    profile = await textProfileOf(project, tokenizer, ground);
  } catch (cause) {
    await connection.close();
    throw cause;
  }
  return {
    identity: identityOf(config),
    async serve({ keys, log, onAlarm, telemetry, project: current }) {
      const { ifMarkingFails, ifLogFails } = current.config.serve;
      const marking = createTextMarking({
        profile,
        tokenizer,
        modelVersion: 'unversioned',
        keys,
        log,
        clock: () => new Date(),
        policy: { ifMarkingFails, ifLogFails },
        onAlarm,
      });
      const front = openAiProxy({
        upstream: connection,
        basePath,
        marking,
        mode: modeOf(current.config.text),
        onDrafts: (count) => telemetry.drafts(count),
        ...(model !== undefined && { models: [model] }),
      });
      return {
        name: config.model.name,
        fronts: [front],
        ready: () => isReady(connection, basePath),
      };
    },
    close: () => connection.close(),
  };
}

/** Says whether the protected model answers in words. */
export function isLanguageModel({ model }: Pick<Config, 'model'>): boolean {
  return model.upstream.startsWith('openai:');
}

/** Returns the protected language model itself, unmarked. @throws TouchmarkError CONFIG_INVALID, USAGE */
export function openProtectedLanguageModel(
  { config, environment }: Project,
  timeoutMilliseconds: number,
): RemoteLanguageModel {
  const bearer = bearerOf(config.model.bearerEnvironment, environment);
  return openOpenAiLanguageModel(config.model.upstream.replace(/^openai:/, ''), {
    timeoutMilliseconds,
    ...(bearer !== undefined && { bearer }),
  });
}

/** Where a language model is asked, and how its paths begin. */
interface Connected {
  readonly connection: UpstreamConnection;
  readonly basePath: string;
  /** The only one that may be asked for, where the address names it. */
  readonly model: string | undefined;
}

function connect({ config, environment }: Project): Connected {
  const { upstream, bearerEnvironment } = config.model;
  const bearer = bearerOf(bearerEnvironment, environment);
  const address = new URL(upstream.replace(/^openai:/, ''));
  const [, base = '', basePath = ''] = /^(.*?)((?:\/v\d+)?)\/?$/.exec(address.pathname) ?? [];
  const connection = new UpstreamConnection(new URL(base === '' ? '/' : base, address), {
    timeoutMilliseconds: 1000 * config.serve.answerSeconds,
    connections: mostConnections,
    ...(bearer !== undefined && { bearer }),
  });
  return { connection, basePath, model: address.searchParams.get('model') ?? undefined };
}

/** As `openTextService` checks it before anything is sealed. @throws TouchmarkError as it says */
export async function checkObedience(project: Project, signal: AbortSignal): Promise<Tokenizer> {
  const tokenizer = await openServedTokenizer(project.config.text.tokenizer, project.directory);
  const connected = connect(project);
  try {
    await requireObedience(project, { ...connected, tokenizer }, signal);
    return tokenizer;
  } finally {
    await connected.connection.close();
  }
}

/**
 * Checks that a server does as a `logit_bias` says, where marks need it: of one that takes the field and
 * ignores it, or has other token ids, unmarked answers would be recorded as marked.
 *
 * @throws TouchmarkError CONFIG_INVALID when it does not; UPSTREAM_FAILED when it does not answer
 */
async function requireObedience(
  { config }: Project,
  { connection: upstream, tokenizer, ...named }: Connected & { readonly tokenizer: Tokenizer },
  signal: AbortSignal,
): Promise<void> {
  if (config.text.mark !== 'logit-bias') return;
  const { basePath } = named;
  const model = named.model ?? (await firstListed(upstream, basePath, signal));
  const options = { upstream, basePath, tokenizer, signal, ...(model !== undefined && { model }) };
  const obeys = await obeysLogitBias(options).catch((cause: unknown) => {
    if (!(cause instanceof RequestError)) throw cause;
    throw new TouchmarkError('UPSTREAM_FAILED', `A logit_bias was tried: ${cause.message}.`, {
      hint: 'See whether model.upstream names the address and, behind ?model=, a model that is there; or set text.mark: drafts.',
      cause,
    });
  });
  if (obeys) return;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `The model server does not do as a logit_bias for the tokenizer ${tokenizer.name} says.`,
    {
      hint: "Set text.tokenizer to the served model's; for a server that ignores logit_bias, as Ollama does, set text.mark: drafts.",
    },
  );
}

const listed = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Returns the first model that a server lists; undefined where it lists none. */
async function firstListed(
  upstream: UpstreamConnection,
  basePath: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status, body } = await upstream.send({
    method: 'GET',
    path: `${basePath}/models`,
    signal,
  });
  if (status !== 200) return undefined;
  return listed.safeParse(parseJson(body.toString('utf8'))).data?.data[0]?.id;
}

function modeOf({ mark, biasEntries, drafts }: TextConfig): OpenAiMode {
  return mark === 'drafts' ? { how: 'drafts', drafts } : { how: 'logit-bias', limit: biasEntries };
}

async function isReady(connection: UpstreamConnection, basePath: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(readyMilliseconds);
    const { status } = await connection.send({ method: 'GET', path: `${basePath}/models`, signal });
    return status < 500;
  } catch {
    return false;
  }
}

async function textProfileOf(
  project: Project,
  tokenizer: Tokenizer,
  ground: ServingGround,
): Promise<TextProfile> {
  const { config, textProfilePath } = project;
  if (await pathExists(textProfilePath)) {
    const sealed = await readTextProfile(textProfilePath);
    if (sealed.tokenizer.name === tokenizer.name) return sealed;
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `${textProfilePath} is sealed for the tokenizer ${sealed.tokenizer.name}, and text.tokenizer is ${tokenizer.name}.`,
      { hint: "Set text.tokenizer to the served model's, or seal anew under new keys." },
    );
  }
  requireUnusedEpochs(ground.log, ground.keys);
  const model = openProtectedLanguageModel(project, 1000 * config.serve.answerSeconds);
  try {
    const inputs = await readInputFile(config.inputs.twin);
    const profile = await sealTextProfile({
      text: config.text,
      tokenizer,
      model,
      questions: inputs.filter((input) => typeof input === 'string'),
      signal: ground.signal,
      progress: ground.progress,
      onNotice: ground.onNotice,
    });
    await replaceFile(textProfilePath, `${JSON.stringify(profile)}\n`);
    return profile;
  } catch (cause) {
    throw upstreamError(cause);
  } finally {
    await model.close();
  }
}
