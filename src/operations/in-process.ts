import type { Environment } from '../config/overrides.ts';
import type { Classifier, Input, Tokenizer } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { AlarmListener, FailurePolicy } from '../serve/failure-policy.ts';
import {
  headerOf,
  type RequestWithHeaders,
  type TenantOf,
  type Touchmark,
} from '../serve/in-process/touchmark.ts';
import { createMarking } from '../serve/marking.ts';
import { createTextMarking } from '../serve/text-marking.ts';
import { readProfile, requireProfileLabels } from '../store/profile-file.ts';
import { pathExists } from '../store/project-files.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { openEpochKeys } from './keys-open.ts';
import { openProject, type Project } from './project.ts';
import { sealProjectProfile } from './project-profile.ts';
import { openAuthenticator } from './project-tenants.ts';
import { openServedTokenizer } from './served-tokenizer.ts';
import { openProjectLog } from './serving-log.ts';
import { findTokenizer, readTextProfile } from './watermark-open.ts';

export type { RequestWithHeaders, TenantOf, Touchmark } from '../serve/in-process/touchmark.ts';

/** How a program that serves its own model gets its watermark; the policy is else the configuration's. */
export interface OpenTouchmarkOptions<Request> extends Partial<FailurePolicy> {
  /** The path of touchmark.yaml. */
  readonly config: string;
  /** The process's own by default. */
  readonly environment?: Environment;
  /** Finds who asks; by default, by the API keys and signed tokens that the configuration knows. */
  readonly tenantOf?: TenantOf<Request>;
  /** What the log says of answers that come without a version of their own. */
  readonly modelVersion?: string;
  /**
   * The classifier, one row of probabilities over `model.labels` for each input. It is asked only to
   * measure a watermark, where none is sealed yet.
   */
  classify?(
    inputs: readonly Input[],
  ): Promise<readonly (readonly number[])[]> | readonly (readonly number[])[];
  /** For language models; by default the profile that `touchmark serve` has sealed in the project, if any. */
  readonly text?: {
    /** The path of a text profile. */
    readonly profile: string;
    /** The model's tokenizer, or the folder of its `tokenizer.json`; for choosing among drafts. */
    readonly tokenizer?: Tokenizer | string;
  };
  readonly onAlarm?: AlarmListener;
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Opens keys, sealed watermark and serving log of a project for a program that serves its own model.
 * One process at a time has the log. The keys are those of now: open again after rotating.
 *
 * @example
 * const touchmark = await openTouchmark({ config: 'stamp/touchmark.yaml' });
 *
 * @throws TouchmarkError CONFIG_INVALID for the configuration, a text profile, or where there is nothing
 *   to mark; STORE_LOCKED when another process has the log; LOG_INVALID, STORE_FULL or STORE_DAMAGED; and
 *   what opening the key ring throws; nothing stays open then
 */
export async function openTouchmark<Request = RequestWithHeaders>(
  options: OpenTouchmarkOptions<Request>,
): Promise<Touchmark<Request>> {
  const { config: configPath, environment = process.env, modelVersion = 'unversioned' } = options;
  const project = await openProject({ configPath, environment });
  const { keys, signingKey } = await openEpochKeys(project);
  if (keys.tenants().length === 0) {
    throw new TouchmarkError('CONFIG_INVALID', `${keys.path} has no tenants: nobody could ask.`, {
      hint: 'Add one with: touchmark keys generate --tenant NAME',
    });
  }
  const profile = await profileOf(project, options.classify);
  const text = await (options.text ? openText(options.text) : openSealedText(project));
  if (!profile && !text) {
    throw new TouchmarkError('CONFIG_INVALID', `There is no watermark ${project.profilePath}.`, {
      hint: 'Give openTouchmark `classify`, which measures one, or a profile for `text`.',
    });
  }
  const { onAlarm, onFailure } = options;
  const tenantOf = options.tenantOf ?? (await tenantsOfProject<Request>(project, onFailure));
  const { ifMarkingFails, ifLogFails } = { ...project.config.serve, ...options };
  const policy = { ifMarkingFails, ifLogFails };
  const log = await openProjectLog(project.config, () => keys, signingKey);
  const common = {
    modelVersion,
    keys,
    log,
    clock: () => new Date(),
    policy,
    ...(onAlarm && { onAlarm }),
  };
  return {
    tenantOf,
    policy,
    ...(profile && { classifier: createMarking({ ...common, profile }) }),
    ...(text && { text: createTextMarking({ ...common, ...text }) }),
    ...(onAlarm && { onAlarm }),
    ...(onFailure && { onFailure }),
    close: () => log.close(),
  };
}

/** By the configuration's API keys and signed tokens, in headers that any framework's request has. */
async function tenantsOfProject<Request>(
  project: Project,
  onFailure: (error: unknown) => void = () => undefined,
): Promise<TenantOf<Request>> {
  const authenticator = await openAuthenticator(project, onFailure);
  return (request) => {
    const header = (name: string) => headerOf(request as RequestWithHeaders, name);
    return authenticator(header('authorization'), header('x-api-key') ?? header('api-key'));
  };
}

async function openText({ profile: path, tokenizer }: NonNullable<TextOptions>) {
  const profile = await readTextProfile(path);
  const found = typeof tokenizer === 'object' ? tokenizer : await findTokenizer(profile, tokenizer);
  return { profile, ...(found && { tokenizer: found }) };
}

async function openSealedText({ textProfilePath, config, directory }: Project) {
  if (!(await pathExists(textProfilePath))) return undefined;
  const profile = await readTextProfile(textProfilePath);
  return { profile, tokenizer: await openServedTokenizer(config.text.tokenizer, directory) };
}

type TextOptions = OpenTouchmarkOptions<never>['text'];

async function profileOf(
  project: Project,
  classify: OpenTouchmarkOptions<never>['classify'],
): Promise<ClassifierProfile | undefined> {
  const { profilePath, config, path } = project;
  const { labels } = config.model;
  const sealed = await readProfile(profilePath);
  if (sealed) {
    if (labels) requireProfileLabels(profilePath, sealed, labels);
    return sealed;
  }
  if (!classify) return undefined;
  if (!labels) {
    throw new TouchmarkError('CONFIG_INVALID', `${path} does not say what the labels are.`, {
      hint: 'List them under model: labels:, in the order of the probabilities.',
    });
  }
  const classifier: Classifier = {
    describe: async () => ({ name: config.model.name, labels, gives: ['probabilities'] }),
    async classify(asked) {
      const rows = await classify(asked);
      if (rows.length !== asked.length) throw unanswered(rows.length, asked.length);
      return rows.map((probabilities) => ({ answer: { label: '', probabilities } }));
    },
  };
  const { signal } = new AbortController();
  return sealProjectProfile(project, { classifier, labels, signal });
}

function unanswered(rows: number, inputs: number): TouchmarkError {
  return new TouchmarkError(
    'UPSTREAM_ANSWER_INVALID',
    `classify gave ${rows} answers to ${inputs} inputs.`,
    { hint: 'It must answer every input, in order.' },
  );
}
