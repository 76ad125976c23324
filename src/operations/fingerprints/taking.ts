import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Classifier, Description, Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { packAnswers } from '../../fingerprints/classifier-answers.ts';
import type { ClassifierFingerprint } from '../../fingerprints/fingerprint.ts';
import { type ClassifierProbeSet, probeSetId } from '../../fingerprints/probe-set.ts';
import { type FingerprintSummary, summarise } from '../../fingerprints/summary.ts';
import { lockDirectory } from '../../ledger/lock.ts';
import { displaySpecification } from '../../models/adapters/registry.ts';
import { toolkitVersion } from '../../store/project-files.ts';
import {
  forgetTakingAnswers,
  makeTakingDirectory,
  openTakingAnswers,
  removeTakingDirectory,
} from '../../store/taking-work.ts';
import { askProbes, type ProbeAnswers } from './ask-probes.ts';
import type { FingerprintPlace } from './place.ts';

/** Whose fingerprint to take, and with which questions. */
export interface Taking {
  readonly place: FingerprintPlace;
  readonly classifier: Classifier;
  readonly probes: ClassifierProbeSet;
  /** Where it is asked: `kserve:URL` or `http:URL`. */
  readonly specification: string;
  /** Whatever else decides how its answers are read. */
  readonly reading: unknown;
  /** What the fingerprint calls the model; what it calls itself by default. */
  readonly name?: string;
  readonly batchSize: number;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** A fingerprint that was taken, in plain data. */
export interface TakenFingerprint
  extends FingerprintSummary,
    Pick<ClassifierFingerprint, 'model' | 'probeSet' | 'outcomes' | 'takenAt'> {
  readonly fingerprint: string;
  readonly path: string;
  readonly gives: Description['gives'];
}

const longestName = 200;

/**
 * Takes a fingerprint and keeps it. Answers are kept as they come, so that after an interruption the
 * same taking goes on and asks nothing again, unless the model calls itself otherwise by then. One
 * that has ended is forgotten: the next asks anew.
 *
 * @throws TouchmarkError SUSPECT_* when the model cannot be asked or answers nothing of use;
 *   STORE_LOCKED while another process is at it; INTERRUPTED
 */
export async function takeFrom(taking: Taking): Promise<TakenFingerprint> {
  const { classifier, probes, place, specification, reading } = taking;
  const description = await classifier.describe({ signal: taking.signal });
  const digest = digestOf([specification, probeSetId(probes), reading]);
  const directory = join(place.takingDirectory, digest);
  await makeTakingDirectory(directory);
  const lost = new AbortController();
  const release = await lockDirectory(directory, taking.now(), (error) => lost.abort(error), {
    what: 'taking of a fingerprint in',
  });
  const signal = AbortSignal.any([taking.signal, lost.signal]);
  const taken = await takeInto(directory, description, { ...taking, signal }).finally(release);
  await removeTakingDirectory(directory);
  return taken;
}

async function takeInto(
  directory: string,
  description: Description,
  taking: Taking,
): Promise<TakenFingerprint> {
  const { probes, place, now } = taking;
  const { name, version, gives } = description;
  const about = { suspect: shown(taking), probeSet: probeSetId(probes), name, version, gives };
  const runLog = await openTakingAnswers(directory, `${JSON.stringify(about)}\n`);
  const detail = gives.includes('probabilities') ? 'probabilities' : 'labels';
  try {
    const answered = await askProbes({ ...taking, runLog, detail, times: true });
    const why = uselessness(answered, probes);
    if (why !== undefined) {
      await forgetTakingAnswers(directory);
      throw why;
    }
    const takenAt = now().toISOString();
    const fingerprint = await fingerprintOf(taking, description, answered, takenAt);
    await place.store.saveProbeSet(probes);
    const { id, path } = await place.store.saveFingerprint(fingerprint);
    await forgetTakingAnswers(directory);
    const { model, probeSet, outcomes } = fingerprint;
    const summary = summarise(fingerprint, probes)!;
    return { fingerprint: id, path, model, probeSet, takenAt, gives, outcomes, ...summary };
  } finally {
    await runLog.close();
  }
}

async function fingerprintOf(
  taking: Taking,
  { name, version }: Description,
  { answers, outcomes }: ProbeAnswers,
  takenAt: string,
): Promise<ClassifierFingerprint> {
  const { probes } = taking;
  return {
    schema: 'touchmark/fingerprint@1',
    task: 'classify',
    model: {
      name: (taking.name ?? name).slice(0, longestName),
      version: version?.slice(0, longestName) ?? null,
      address: shown(taking),
    },
    probeSet: probeSetId(probes),
    takenAt,
    toolkit: await toolkitVersion(),
    labels: [...probes.labels],
    outcomes,
    answers: packAnswers(answers),
  };
}

/** Returns the error for answers that nothing can be read from. */
function uselessness(
  { outcomes }: ProbeAnswers,
  { labels }: ClassifierProbeSet,
): TouchmarkError | undefined {
  const { answered, outside, refused, failed, unsupported } = outcomes;
  if (answered === 0) {
    const counts = `${refused} refused, ${failed} failed, ${unsupported} unsupported`;
    return new TouchmarkError('SUSPECT_REFUSED', `The model answered no question: ${counts}.`, {
      hint: 'Check that the probe set has the kind of questions that it takes.',
    });
  }
  if (outside < answered) return undefined;
  const known = labels.slice(0, 8).map((label) => JSON.stringify(label.slice(0, 40)));
  return new TouchmarkError(
    'SUSPECT_ANSWER_INVALID',
    `All ${answered} answers have labels outside the probe set's.`,
    {
      hint: `It has ${known.join(', ')}${labels.length > 8 ? ', ...' : ''}; map the suspect's onto them with audit.labelMap.`,
    },
  );
}

function shown({ specification }: Pick<Taking, 'specification'>): string {
  return displaySpecification(specification);
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
