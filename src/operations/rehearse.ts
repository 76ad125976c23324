import { z } from 'zod';
import {
  parseRehearsal,
  type Rehearsal,
  rehearsalId,
  rehearsalSchema,
  rehearsedPoint,
} from '../audit/rehearsal.ts';
import { prepareGround } from '../audit/rehearsal-ground.ts';
import {
  type AuditedStudent,
  nameOf,
  rehearseStudent,
  type StudentJob,
} from '../audit/rehearsal-student.ts';
import type { Progress } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { readProfile, requireProfileLabels } from '../store/profile-file.ts';
import { readRehearsals, rehearsalPath, storeRehearsal } from '../store/rehearsals.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { openProject, type Project, type ProjectOptions } from './project.ts';
import {
  type PreparedRehearsal,
  prepareRehearsal,
  rehearsalDirectory,
} from './rehearse-preparation.ts';
import type { RehearsalRequest } from './rehearse-request.ts';
import { openUpstream, type Upstream } from './upstream.ts';

export interface RehearseOptions extends ProjectOptions, RehearsalRequest {
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** A finished rehearsal and where it is kept. */
export interface FinishedRehearsal {
  readonly id: string;
  readonly path: string;
  readonly rehearsal: Rehearsal;
  /** Median time to train and audit one student. */
  readonly secondsPerStudent: number;
}

/**
 * Makes surrogates of the protected model from the owner's own questions, under dummy keys, and audits
 * each as a suspect would be: the power curve that `no-match-found` needs. The serving log, the key
 * ring and suspects are not touched. Each student is kept once it is audited, and the same call goes on
 * after an interruption.
 *
 * @throws TouchmarkError CONFIG_INVALID without a sealed profile; USAGE or INPUT_INVALID for a request
 *   that cannot be met; UPSTREAM_*; INTERRUPTED when the signal fires
 */
export async function rehearse(options: RehearseOptions): Promise<FinishedRehearsal> {
  const project = await openProject(options);
  const profile = await requireProfile(project);
  const upstream = await openUpstream(project.config, {
    environment: project.environment,
    signal: options.signal,
  });
  try {
    const { labels, version } = upstream.model;
    requireProfileLabels(project.profilePath, profile, labels);
    const prepared = await prepareRehearsal(project, { profile, version }, options);
    const done = await auditStudents({ profile, upstream, prepared }, options);
    return await finish(project, prepared, done, options.now());
  } finally {
    await upstream.classifier.close();
  }
}

/** Returns a project's rehearsals. @throws TouchmarkError EVIDENCE_INVALID naming one that was edited */
export async function storedRehearsals(
  project: Pick<Project, 'directory'>,
): Promise<readonly Rehearsal[]> {
  const stored = await readRehearsals(rehearsalDirectory(project));
  return stored.map(({ text, path }) => parseRehearsal(text, path));
}

const lineSchema = z.strictObject({
  job: z.string(),
  family: z.string(),
  bans: z.number(),
  logged: z.int().nonnegative(),
  coins: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
});
type DoneStudent = z.infer<typeof lineSchema>;

interface Parts {
  readonly profile: ClassifierProfile;
  readonly upstream: Upstream;
  readonly prepared: PreparedRehearsal;
}

async function auditStudents(
  { profile, upstream, prepared }: Parts,
  { signal, progress }: RehearseOptions,
): Promise<ReadonlyMap<string, DoneStudent>> {
  const { head, inputs, labelled, jobs, work } = prepared;
  const done = new Map(work.lines.map(readLine).map((line) => [line.job, line]));
  const missing = jobs.filter((job) => !done.has(nameOf(job)));
  if (missing.length === 0) return done;
  const ground = await prepareGround({
    ...{ ...inputs, profile, labelled, protectedModel: upstream.classifier, signal },
    ...(progress && { progress }),
  });
  const tell = (left: number) =>
    progress?.('training and auditing students', jobs.length - left, jobs.length);
  for (const [place, job] of missing.entries()) {
    tell(missing.length - place);
    signal.throwIfAborted();
    const began = performance.now();
    const audited: AuditedStudent = await rehearseStudent(ground, job, {
      ...{ shape: head.shape, seed: head.seed, signal, coins: head.probes.coins },
      ...{ freshProbes: head.probes.fresh, loggedProbes: head.probes.logged },
      questionsNotChosenFromAnswers: head.assumptions.length > 0,
    });
    const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
    const line = { job: nameOf(job), ...audited, seconds };
    await work.append(JSON.stringify(line));
    done.set(line.job, line);
  }
  tell(0);
  return done;
}

async function finish(
  project: Project,
  { head, labelled, jobs, work }: PreparedRehearsal,
  done: ReadonlyMap<string, DoneStudent>,
  now: Date,
): Promise<FinishedRehearsal> {
  const charged = head.charges.reduce((sum, { bans }) => sum + bans, 0);
  const of = (wanted: (job: StudentJob) => boolean) =>
    jobs.filter(wanted).map((job) => done.get(nameOf(job))!);
  const budgets = [...new Set(jobs.map(({ answers }) => answers))];
  const controls = of(({ part }) => part === 'control').map(({ bans }) => bans - charged);
  const rehearsal: Rehearsal = rehearsalSchema.parse({
    schema: 'touchmark/rehearsal@1',
    at: now.toISOString(),
    ...head,
    attacks: [],
    budgets: budgets.map((answers) =>
      rehearsedPoint(
        answers,
        of((job) => job.part === 'surrogate' && job.answers === answers),
        { threshold: head.threshold, charged },
      ),
    ),
    controls: {
      source: labelled.length > 0 ? 'labelled data' : 'clean answers',
      trained: controls.length,
      matched: controls.filter((bans) => bans >= head.threshold).length,
      largest: controls.length > 0 ? Math.max(...controls) : null,
    },
  });
  const id = rehearsalId(rehearsal);
  const directory = rehearsalDirectory(project);
  await storeRehearsal(directory, id, `${JSON.stringify(rehearsal, null, 2)}\n`);
  await work.discard();
  const times = [...done.values()].map(({ seconds }) => seconds).sort((a, b) => a - b);
  const secondsPerStudent = times[Math.floor(times.length / 2)] ?? 0;
  return { id, path: rehearsalPath(directory, id), rehearsal, secondsPerStudent };
}

/** @throws STORE_DAMAGED */
function readLine(text: string, index: number): DoneStudent {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TouchmarkError('STORE_DAMAGED', `Line ${index + 2} of the work is no student.`, {
      hint: 'Remove the files in .touchmark/rehearsals/work to rehearse from the start.',
      cause,
    });
  }
}

async function requireProfile({ profilePath }: Project): Promise<ClassifierProfile> {
  const profile = await readProfile(profilePath);
  if (profile !== undefined) return profile;
  throw new TouchmarkError('CONFIG_INVALID', `There is no watermark profile ${profilePath}.`, {
    hint: 'Start `touchmark serve` once: it seals the profile that a rehearsal marks answers with.',
  });
}
