import { join } from 'node:path';
import { buildProbeSet } from '../../audit/fingerprinting/build-probe-set.ts';
import { votesOf } from '../../audit/fingerprinting/reference-answers.ts';
import { type ReferencePool, trainReferencePool } from '../../audit/reference-pool.ts';
import type { Input, Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { ClassifierProbeSet } from '../../fingerprints/probe-set.ts';
import { openTextCache } from '../../store/region-work.ts';
import { readLabelledData } from '../labelled-data.ts';
import type { Project } from '../project.ts';
import { trapFolders } from '../traps/stock.ts';
import { openUpstream } from '../upstream.ts';
import { openPlace, type PlaceOptions } from './place.ts';
import { readQuestions } from './protected-questions.ts';
import {
  type KeptReferences,
  keepReferences,
  measureAbility,
  otherDataOf,
} from './protected-references.ts';
import { type TakenFingerprint, takeFrom } from './taking.ts';

export interface TakeProtectedOptions extends PlaceOptions {
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
  /** As `trainReferencePool` has it. */
  readonly referencesPerKind?: number;
  /** Hears what keeps quirks descriptive. */
  readonly onNotice?: (text: string) => void;
}

/** The protected model's fingerprint, and the reference models that suspects are ranked among. */
export interface TakenProtected extends TakenFingerprint {
  /** Absent without labelled data to train references on. */
  readonly references?: KeptReferences;
}

/**
 * Takes the protected model's fingerprint with questions of `inputs.fingerprint`, trains reference
 * models on the owner's labelled data, and keeps where they stand in each quirk. Audits rank suspects
 * among them. No question is asked that was served, or that another file of inputs has.
 *
 * @throws TouchmarkError USAGE outside a project; INPUT_INVALID for too few questions; as `takeFrom`,
 *   `openUpstream`
 */
export async function takeProtected(options: TakeProtectedOptions): Promise<TakenProtected> {
  const place = await openPlace(options);
  const { project } = place;
  if (project === undefined) {
    throw new TouchmarkError(
      'USAGE',
      'The protected model is named in touchmark.yaml, and there is none here.',
      {
        hint: 'Make a project with `touchmark init`, or name its file with --config.',
      },
    );
  }
  const { config, environment } = project;
  const candidates = await readQuestions(project);
  if (options.signal.aborted) throw interrupted();
  const data = await readLabelledData(config);
  const { sameData, otherData } = config.inputs;
  if ('why' in data && (sameData ?? otherData) !== undefined) {
    throw new TouchmarkError('CONFIG_INVALID', data.why, {
      hint: 'Set both, or leave both out: then every quirk is descriptive and counts 0.',
    });
  }
  const { classifier, model } = await openUpstream(config, { environment, signal: options.signal });
  try {
    const { signal, progress, now, onNotice, referencesPerKind } = options;
    const watched = { signal, ...(progress && { progress }) };
    if ('why' in data) {
      onNotice?.(`${data.why} Without references every quirk is descriptive and counts 0.`);
    }
    const pool =
      'why' in data
        ? undefined
        : await trainReferencePool({
            ...{ ...data, otherData: otherDataOf(data), ...watched, labels: model.labels },
            ...(referencesPerKind !== undefined && { referencesPerKind }),
            cache: openTextCache(join(trapFolders(project).ledger, 'references')),
          });
    const probes = chooseProbes(project, model, candidates, pool);
    const taken = await takeFrom({
      ...{ place, classifier, probes, now, signal },
      progress: (_, done, total) => progress?.('asking the protected model', done, total),
      specification: config.model.upstream,
      reading: { protectedModel: model.version },
      name: model.name,
      batchSize: config.audit.batchSize,
    });
    if (pool === undefined || 'why' in data) return taken;
    const ability = await measureAbility(classifier, model.labels, data, pool, options);
    const references = await keepReferences(place, pool, probes, taken, { ...options, ability });
    return { ...taken, references };
  } catch (cause) {
    throw options.signal.aborted ? interrupted() : cause;
  } finally {
    await classifier.close();
  }
}

function chooseProbes(
  { config }: Project,
  { name, labels }: { readonly name: string; readonly labels: readonly string[] },
  candidates: readonly Input[],
  pool: ReferencePool | undefined,
): ClassifierProbeSet {
  const choosing = pool?.references.filter(({ part }) => part === 'select') ?? [];
  const layers = choosing.map((reference) => reference.layers);
  return buildProbeSet({
    name,
    labels,
    candidates: candidates.map((input) => ({ input })),
    count: config.fingerprints.questions,
    pairs: config.fingerprints.pairs,
    ...(pool && { votes: votesOf(layers, pool.features, labels.length) }),
    seed: 'fingerprint',
  });
}

function interrupted(): TouchmarkError {
  return new TouchmarkError('INTERRUPTED', 'The taking of the fingerprint was interrupted.', {
    hint: 'Run the same command again: trained models and answers are kept.',
  });
}
