import type { Config } from '../config/schema.ts';
import type { TextConfig } from '../config/text.ts';
import type { Tokenizer } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import {
  openOpenAiLanguageModel,
  type RemoteLanguageModel,
} from '../models/adapters/openai-language-model.ts';
import { upstreamError } from '../models/clean-answers.ts';
import { openAiProxy } from '../serve/proxy/openai-front.ts';
import type { OpenAiMode } from '../serve/proxy/openai-mode.ts';
import { UpstreamConnection } from '../serve/proxy/upstream-connection.ts';
import { createTextMarking } from '../serve/text-marking.ts';
import { pathExists, readInputFile, replaceFile } from '../store/project-files.ts';
import type { TextProfile } from '../watermark/text/profile.ts';
import type { Project } from './project.ts';
import { openServedTokenizer } from './served-tokenizer.ts';
import { type HeldUpstream, identityOf, type ServingGround } from './serving-parts.ts';
import { sealTextProfile } from './text-sealing.ts';
import { bearerOf } from './upstream.ts';
import { readTextProfile } from './watermark-open.ts';

const readyMilliseconds = 2_000;

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
  const { config, environment, directory } = project;
  const { upstream: named, bearerEnvironment, name } = config.model;
  const bearer = bearerOf(bearerEnvironment, environment);
  const address = new URL(named.replace(/^openai:/, ''));
  const [, base = '', basePath = ''] = /^(.*?)((?:\/v\d+)?)\/?$/.exec(address.pathname) ?? [];
  const tokenizer = await openServedTokenizer(config.text.tokenizer, directory);
  const profile = await textProfileOf(project, tokenizer, ground);
  const connection = new UpstreamConnection(new URL(base === '' ? '/' : base, address), {
    timeoutMilliseconds: 1000 * config.serve.answerSeconds,
    ...(bearer !== undefined && { bearer }),
  });
  const models = address.searchParams.get('model');
  return {
    identity: identityOf(config),
    async serve({ keys, log, onAlarm, project: current }) {
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
        ...(models !== null && { models: [models] }),
      });
      return { name, fronts: [front], ready: () => isReady(connection, basePath) };
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
