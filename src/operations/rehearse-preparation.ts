import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { replayAssumption } from '../audit/material.ts';
import { charges } from '../audit/multiplicity.ts';
import { digestOf } from '../audit/plan.ts';
import type { Rehearsal } from '../audit/rehearsal.ts';
import { dealInputs, type RehearsalInputs } from '../audit/rehearsal-ground.ts';
import type { StudentJob } from '../audit/rehearsal-student.ts';
import { provenanceTests } from '../audit/tests/registry.ts';
import type { Input } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { poolDigest } from '../keys/canonical-input.ts';
import type { ModelFamily } from '../models/training/model-families.ts';
import type { LabelledInput } from '../models/training/reference-models.ts';
import { readInputFile, toolkitVersion } from '../store/project-files.ts';
import { RehearsalWork } from '../store/rehearsals.ts';
import { lotsForAudit } from '../traps/stock.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { readLabelledData } from './labelled-data.ts';
import type { Project } from './project.ts';
import { budgetsOf, familiesOf, keysOf, type RehearsalRequest } from './rehearse-request.ts';
import { readTrapStock } from './traps/stock.ts';

/** What a rehearsal says of itself before its first student. */
export type RehearsalHead = Omit<Rehearsal, 'schema' | 'at' | 'attacks' | 'budgets' | 'controls'>;

/** A rehearsal that may begin or go on. */
export interface PreparedRehearsal {
  readonly head: RehearsalHead;
  readonly inputs: RehearsalInputs;
  /** Labelled data that controls learn from; without any they learn from clean answers. */
  readonly labelled: readonly LabelledInput[];
  readonly jobs: readonly StudentJob[];
  readonly work: RehearsalWork;
}

/** Returns where a project keeps its rehearsals. */
export function rehearsalDirectory({ directory }: Pick<Project, 'directory'>): string {
  return join(directory, '.touchmark', 'rehearsals');
}

/**
 * Reads the owner's inputs and opens the work: that of an interrupted call with the same request on the
 * same project, or new work with a seed of its own.
 *
 * @throws TouchmarkError USAGE for a request that cannot be met, INPUT_INVALID for too few questions
 */
export async function prepareRehearsal(
  project: Project,
  { profile, version }: { readonly profile: ClassifierProfile; readonly version: string },
  request: RehearsalRequest,
): Promise<PreparedRehearsal> {
  const { config } = project;
  const { audit } = config;
  const twin = await readInputFile(config.inputs.twin);
  const fresh = await readInputFile(config.inputs.fresh);
  const file = request.questions === undefined ? undefined : await readInputFile(request.questions);
  const families = familiesOf(request);
  const keys = keysOf(request);
  const distinct = dealInputs(twin, fresh, file, '');
  const answers = budgetsOf(request, distinct.questions.length);
  const given = {
    toolkit: await toolkitVersion(),
    profile: digestOf(profile),
    protectedModel: { name: config.model.name, version },
    shape: request.shape,
    tests: provenanceTests.map(({ name }) => name),
    assumptions: audit.questionsNotChosenFromAnswers ? [replayAssumption] : [],
    families: [...families],
    probes: {
      fresh: Math.min(audit.freshProbes, distinct.fresh.length),
      logged: audit.loggedProbes,
      coins: await coinsPerAudit(project),
    },
    threshold: audit.threshold,
    charges: charges({
      tenants: Math.max(1, config.tenants.length),
      suspects: audit.suspects,
      audit: 1,
      coinsByStock: config.traps.lotsPerAudit > 0,
    }).map((charge) => ({ ...charge })),
    quick: request.quick,
  };
  const labelled = await labelledInputs(project, profile.labels);
  const pools = [twin, fresh, file ?? [], labelled.map(({ input }) => input)].map(poolDigest);
  const { work, seed } = await openWork(project, { ...given, answers, keys, pools });
  const inputs = dealInputs(twin, fresh, file, seed);
  return {
    head: { ...given, seed, questions: questionsOf(inputs.questions, file !== undefined) },
    ...{ inputs, labelled },
    jobs: jobsOf(answers, families, keys),
    work,
  };
}

const firstLine = z.strictObject({ request: z.string(), seed: z.string().regex(/^[0-9a-f]{64}$/) });

async function openWork(
  project: Project,
  request: object,
): Promise<{ readonly work: RehearsalWork; readonly seed: string }> {
  const digest = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const path = join(rehearsalDirectory(project), 'work', `${digest.slice(0, 16)}.jsonl`);
  const first = { request: digest, seed: randomBytes(32).toString('hex') };
  const work = await RehearsalWork.open(path, JSON.stringify(first));
  try {
    return { work, seed: firstLine.parse(JSON.parse(work.first)).seed };
  } catch (cause) {
    throw new TouchmarkError('STORE_DAMAGED', `${path} does not begin as a rehearsal does.`, {
      hint: 'Remove it to rehearse from the start.',
      cause,
    });
  }
}

async function labelledInputs(
  { config }: Project,
  labels: readonly string[],
): Promise<LabelledInput[]> {
  const data = await readLabelledData(config);
  if ('why' in data) return [];
  const numbers = new Map(labels.map((label, index) => [label, index]));
  return [...data.sameData, ...data.otherData].flatMap(({ input, label }) => {
    const number = numbers.get(label);
    return number === undefined ? [] : [{ input, label: number }];
  });
}

function questionsOf(questions: readonly Input[], isFile: boolean): Rehearsal['questions'] {
  return {
    source: isFile ? 'file' : 'inputs.twin',
    count: questions.length,
    digest: poolDigest(questions),
  };
}

/** A control for every fourth surrogate of the largest budget; key by key, so that all grow alike. */
function jobsOf(
  budgets: readonly number[],
  families: readonly ModelFamily[],
  keys: number,
): StudentJob[] {
  return Array.from({ length: keys }, (_, index) => [
    ...budgets.flatMap((answers) =>
      families.map((family) => ({ part: 'surrogate' as const, family, answers, index })),
    ),
    ...(index % 4 === 0 ? families : []).map((family) => ({
      ...{ part: 'control' as const, family, answers: budgets.at(-1)!, index },
    })),
  ]).flat();
}

/** As the next audit would show them: claimed lots of the smallest stock, or without any the whole log. */
async function coinsPerAudit(project: Project): Promise<'all' | number> {
  const { lotsPerAudit } = project.config.traps;
  if (lotsPerAudit === 0) return 0;
  const stock = await readTrapStock(project);
  const sizes = new Map(stock.sets.map(({ sealed }) => [sealed.set, sealed.lots]));
  const shown = stock.sets
    .filter(({ sealed }) => sealed.kind === 'coin')
    .map(({ sealed: { tenant, epoch } }) =>
      lotsForAudit(stock, { kind: 'coin', tenant, epoch }, lotsPerAudit).reduce(
        (sum, { set, lot }) => sum + (sizes.get(set)?.[lot] ?? 0),
        0,
      ),
    );
  return shown.length === 0 ? 'all' : Math.min(...shown);
}
