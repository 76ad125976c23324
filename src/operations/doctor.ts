import { TouchmarkError } from '../errors.ts';
import { lockDirectory } from '../ledger/lock.ts';
import { verifyServingLog } from '../ledger/verify-log.ts';
import type { KeyRing } from '../store/key-ring.ts';
import { readProfile, requireProfileLabels } from '../store/profile-file.ts';
import { pathExists, readInputFile } from '../store/project-files.ts';
import { type GatewayKeys, openEpochKeys } from './keys-open.ts';
import { openProject, openProjectRing, type Project, type ProjectOptions } from './project.ts';
import { questionsWanted } from './project-profile.ts';
import { checkObedience, isLanguageModel, openProtectedLanguageModel } from './serving-text.ts';
import { openUpstream } from './upstream.ts';

/** What one check found; `fix` is empty when there is nothing to do. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly fix: string;
}

const oldestNode = [20, 19] as const;
const upstreamMilliseconds = 5_000;

/** Returns what is well and what is not with an installation and a project; never throws for either. */
export async function examine(
  options: ProjectOptions & { readonly signal: AbortSignal },
): Promise<Finding[]> {
  const findings = [checkNode(process.versions.node), await check('tensors', startTensors)];
  let project: Project | undefined;
  findings.push(
    await check('configuration', async () => {
      project = await openProject(options);
      return ok(`${project.path}, ${project.config.tenants.length} tenants`);
    }),
  );
  if (project === undefined) return findings;
  const found = project;
  let ring: KeyRing | undefined;
  findings.push(
    await check('key ring', async () => {
      if (found.config.keys.source.startsWith('bundle:')) {
        return checkKeys(found, (await openEpochKeys(found)).keys);
      }
      ring = await openProjectRing(found);
      return checkKeys(found, ring);
    }),
    await check('questions', () => checkQuestions(found)),
    await check('serving log', () => checkLog(found.config.log.directory)),
    await check('serving log lock', () => checkLock(found.config.log.directory)),
    await check('upstream', () => checkUpstream(found, options.signal)),
    await check('clock', async () => checkClock(epochTimesOf(ring), new Date())),
  );
  return findings;
}

/** Returns whether a version of Node.js is new enough. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  const enough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return enough
    ? { check: 'Node.js', ...ok(version) }
    : {
        check: 'Node.js',
        status: 'fail',
        detail: `${version} is too old`,
        fix: `Install Node.js ${oldestNode.join('.')} or newer.`,
      };
}

/** What one check found, without its name. */
export type Result = Omit<Finding, 'check'>;

async function check(name: string, work: () => Promise<Result>): Promise<Finding> {
  try {
    return { check: name, ...(await work()) };
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const fix = TouchmarkError.isInstance(cause) ? cause.hint : 'Install again with: npm ci';
    return { check: name, status: 'fail', detail, fix };
  }
}

async function startTensors(): Promise<Result> {
  const { startBackend } = await import('../models/training/backend.ts');
  const backend = await startBackend();
  return ok(backend === 'wasm' ? 'WebAssembly backend' : 'native backend (tfjs-node)');
}

function checkKeys(
  { config }: Project,
  keys: Pick<GatewayKeys, 'has' | 'tenants' | 'path'>,
): Result {
  const missing = config.tenants.filter(({ id }) => !keys.has(id)).map(({ id }) => id);
  if (missing.length === 0) return ok(`${keys.path}, ${keys.tenants().length} tenants`);
  return {
    status: 'fail',
    detail: `no epoch for ${missing.slice(0, 20).join(', ')}`,
    fix: 'Remove them from the configuration and add them with: touchmark keys generate --tenant NAME',
  };
}

async function checkLog(directory: string): Promise<Result> {
  if (!(await pathExists(directory))) return ok('none yet; `touchmark serve` begins it');
  const { records, checkpoints, problems } = await verifyServingLog(directory);
  if (problems[0]) throw problems[0];
  return ok(`${records} records, ${checkpoints} checkpoints`);
}

async function checkLock(directory: string): Promise<Result> {
  if (!(await pathExists(directory))) return ok('free');
  try {
    const release = await lockDirectory(directory, new Date(), () => undefined);
    await release();
    return ok('free');
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause) || cause.code !== 'STORE_LOCKED') throw cause;
    return ok(`held, as by a gateway that runs: ${cause.message}`);
  }
}

async function checkUpstream(project: Project, signal: AbortSignal): Promise<Result> {
  const { config, environment, profilePath } = project;
  if (isLanguageModel(config)) return checkLanguageModel(project, signal);
  const { classifier, model } = await openUpstream(config, {
    environment,
    signal,
    timeoutMilliseconds: upstreamMilliseconds,
    retries: 0,
  });
  await classifier.close();
  const profile = await readProfile(profilePath);
  if (profile !== undefined) requireProfileLabels(profilePath, profile, model.labels);
  const state = profile === undefined ? 'watermark not sealed yet' : 'watermark sealed';
  return ok(`${model.labels.length} labels, version ${model.version}, ${state}`);
}

async function checkLanguageModel(project: Project, signal: AbortSignal): Promise<Result> {
  const { textProfilePath } = project;
  const model = openProtectedLanguageModel(project, upstreamMilliseconds);
  try {
    const sampling = { maxTokens: 1, temperature: 1 };
    const [outcome] = await model.complete(['Hello'], { sampling, signal });
    if (outcome === undefined || 'missing' in outcome) throw upstreamSilent();
  } finally {
    await model.close();
  }
  const { name } = await checkObedience(project, signal);
  const sealed = (await pathExists(textProfilePath))
    ? 'watermark sealed'
    : 'watermark not sealed yet';
  return ok(`a language model, tokenizer ${name}, ${sealed}`);
}

/** The questions that the mark is measured on are sealed with it: few make it a guess for good. */
async function checkQuestions(project: Project): Promise<Result> {
  const { config, profilePath, textProfilePath } = project;
  const path = isLanguageModel(config) ? textProfilePath : profilePath;
  if (await pathExists(path)) return ok('sealed with the watermark');
  const { length } = await readInputFile(config.inputs.twin);
  if (length >= questionsWanted) return ok(`${length} to measure the watermark on`);
  return {
    status: 'warn',
    detail: `${length} in ${config.inputs.twin}; the first start of the gateway seals the watermark on them for good`,
    fix: `Put ${questionsWanted} or more there, one a line, like those that your customers ask.`,
  };
}

function upstreamSilent(): TouchmarkError {
  return new TouchmarkError('UPSTREAM_FAILED', 'The language model does not answer a prompt.', {
    hint: 'Ask it directly, and see whether model.upstream names its address and model.',
  });
}

/** Returns whether a clock can be right: an epoch from the future means that it, or an earlier one, is not. */
export function checkClock(epochTimes: readonly string[], now: Date): Result {
  const latest = epochTimes.toSorted().at(-1);
  if (latest === undefined || Date.parse(latest) <= now.getTime()) return ok(now.toISOString());
  return {
    status: 'fail',
    detail: `${now.toISOString()} is before the newest epoch, ${latest}`,
    fix: 'Set the clock: epochs and records are proved by their times.',
  };
}

function epochTimesOf(ring: KeyRing | undefined): string[] {
  return ring?.tenants().map((tenant) => ring.currentEpoch(tenant).createdAt) ?? [];
}

function ok(detail: string): Result {
  return { status: 'ok', detail, fix: '' };
}
