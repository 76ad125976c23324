import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { buildRegionTraps, type RegionSource } from '../../audit/trap-search/build-region-traps.ts';
import { trainRegionModels } from '../../audit/trap-search/region-models.ts';
import type { Input } from '../../contracts.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { scanServingLog } from '../../ledger/scan-log.ts';
import { pathExists, readInputFile } from '../../store/project-files.ts';
import {
  discardBuildAnswers,
  noteUsedQuestions,
  openBuildAnswers,
  openTextCache,
  readUsedQuestions,
} from '../../store/region-work.ts';
import { decodeInput, trapCount } from '../../traps/trap-set.ts';
import { type LabelledData, readLabelledData } from '../labelled-data.ts';
import type { Project } from '../project.ts';
import { openUpstream } from '../upstream.ts';
import type { BuiltTraps, TrapRequest, TrapSource } from './source.ts';
import { trapFolders } from './stock.ts';

/** Fewer teach simulated surrogates nothing that a thief would learn. */
const fewestQuestions = 200;

/**
 * Builds region traps: trains references on the owner's labelled data and surrogates on the protected
 * model's own answers, and chooses questions of `inputs.traps`, or made from them, on which surrogates
 * agree and references do not. Trained models and answers are kept, so that a build that was
 * interrupted goes on and a later one trains nothing again. No question is used that the serving log
 * holds, that is in another file of inputs, or that was ever a trap.
 *
 * Questions come from the pool unless asked otherwise: of all sources it finds most surrogates
 * (docs/region-traps.md).
 *
 * What the owner has not provided is said in `why`, before the protected model is asked anything; an
 * upstream that fails throws.
 */
export const regionTraps: TrapSource = { kind: 'region', build };

/** What the owner has provided. */
interface Provided extends LabelledData {
  readonly pool: readonly Input[];
  readonly questions: readonly Input[];
}

async function build(request: TrapRequest): Promise<BuiltTraps> {
  const { project } = request;
  const source = request.questions ?? 'pool';
  const provided = await readProvided(project, source);
  if ('why' in provided) return { sets: [], why: provided.why };
  const paths = pathsOf(project);
  const used = await usedQuestions(project, provided, paths.used);
  if (provided.pool.every((input) => used.has(digestOf(input)))) {
    return nothing(
      `Every question of ${project.config.inputs.traps} was served, was a trap before or is in another file of inputs. Add new ones.`,
    );
  }
  const { set, why } = await buildWith(request, source, provided, used);
  if (set === undefined) return { sets: [], why };
  const digests = set.lots.flatMap(({ traps }) =>
    traps.map(({ input }) => digestOf(decodeInput(input))),
  );
  await noteUsedQuestions(paths.used, digests);
  const short = trapCount(set) < request.wanted;
  return { sets: [set], why: short ? why : undefined };
}

async function buildWith(
  { project, wanted, stock, now, signal, progress }: TrapRequest,
  source: RegionSource,
  { pool, questions, sameData, otherData }: Provided,
  used: ReadonlySet<string>,
) {
  const { config, environment } = project;
  const { classifier, model } = await openUpstream(config, { environment, signal });
  const paths = pathsOf(project);
  const { name, version, labels } = model;
  const description = JSON.stringify({ name, version, labels, upstream: config.model.upstream });
  const directory = join(paths.answers, createHash('sha256').update(description).digest('hex'));
  const runLog = await openBuildAnswers(directory, `${description}\n`);
  try {
    const asked = { classifier, labels, name, version, runLog, signal, progress };
    const models = await trainRegionModels({
      protectedModel: asked,
      ...{ sameData, otherData, questions },
      cache: openTextCache(paths.references),
    });
    const built = await buildRegionTraps({
      protectedModel: asked,
      ...{ models, source, pool, traffic: questions },
      exclude: (digest) => used.has(digest),
      count: wanted,
      lotSize: config.traps.regionLotSize,
      seed: `region/${stock.sets.length}`,
      createdAt: now.toISOString(),
      salt: () => randomBytes(16).toString('hex'),
    });
    await runLog.close();
    if (version === 'unversioned') await discardBuildAnswers(directory);
    return built;
  } finally {
    await runLog.close();
    await classifier.close();
  }
}

/** Reads the owner's files, the cheapest first; says what is missing. */
async function readProvided(
  { config }: Project,
  source: RegionSource,
): Promise<Provided | { readonly why: string }> {
  const { inputs, model } = config;
  if (source === 'gradient' && model.input === 'text') {
    return {
      why: 'A gradient search needs tensors, and this model takes text. Build from the pool or by bisection.',
    };
  }
  const pool = await inputsIfThere(inputs.traps);
  if (pool.length === 0) {
    return {
      why: `There are no questions in ${inputs.traps} to choose traps from. Put thousands of your own there, and never serve an answer to any.`,
    };
  }
  const questions = await inputsIfThere(inputs.twin);
  if (questions.length < fewestQuestions) {
    return {
      why: `Simulated surrogates learn from at least ${fewestQuestions} questions; ${inputs.twin} has ${questions.length}.`,
    };
  }
  const data = await readLabelledData({ inputs });
  return 'why' in data ? data : { pool, questions, ...data };
}

async function inputsIfThere(path: string): Promise<readonly Input[]> {
  return (await pathExists(path)) ? readInputFile(path) : [];
}

/** Digests of questions that were served, that other files hold, or that were traps. */
async function usedQuestions(
  { config }: Project,
  { questions }: Provided,
  path: string,
): Promise<Set<string>> {
  const used = await readUsedQuestions(path);
  for (const input of [...questions, ...(await inputsIfThere(config.inputs.fresh))]) {
    used.add(digestOf(input));
  }
  await scanServingLog(config.log.directory, ({ input }) => {
    used.add(digestOf(input));
  });
  return used;
}

function pathsOf(project: Project) {
  const { ledger } = trapFolders(project);
  return {
    references: join(ledger, 'references'),
    answers: join(ledger, 'region-answers'),
    used: join(ledger, 'region-questions.txt'),
  };
}

function digestOf(input: Input): string {
  return inputDigest(input).toString('hex');
}

function nothing(why: string): BuiltTraps {
  return { sets: [], why };
}
