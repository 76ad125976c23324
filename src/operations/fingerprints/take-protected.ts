import { join } from 'node:path';
import { type Ability, abilityOf, isComparable } from '../../audit/fingerprinting/ability.ts';
import { buildProbeSet } from '../../audit/fingerprinting/build-probe-set.ts';
import {
  answersOfReferences,
  type QuirkTrial,
  quirkNulls,
  tryQuirks,
  votesOf,
} from '../../audit/fingerprinting/reference-answers.ts';
import {
  type LabelledQuestion,
  type ReferencePool,
  trainReferencePool,
} from '../../audit/reference-pool.ts';
import type { Classifier, Input, Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { unpackAnswers } from '../../fingerprints/classifier-answers.ts';
import type { ClassifierProbeSet } from '../../fingerprints/probe-set.ts';
import { quirkWeight } from '../../fingerprints/quirk-weights.ts';
import { classifierQuirks } from '../../fingerprints/quirks/registry.ts';
import type { ReferenceNull } from '../../fingerprints/reference-null.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { scanServingLog } from '../../ledger/scan-log.ts';
import { askAllClean } from '../../models/clean-answers.ts';
import { pathExists, readInputFile, toolkitVersion } from '../../store/project-files.ts';
import { openTextCache } from '../../store/region-work.ts';
import { type LabelledData, readLabelledData } from '../labelled-data.ts';
import type { Project } from '../project.ts';
import { trapFolders } from '../traps/stock.ts';
import { openUpstream } from '../upstream.ts';
import { type FingerprintPlace, openPlace, type PlaceOptions } from './place.ts';
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
  readonly references?: {
    readonly id: string;
    readonly path: string;
    readonly same: number;
    readonly other: number;
    readonly smallestP: number;
    /** References that neither choose nor calibrate, tried as suspects. */
    readonly trials: readonly QuirkTrial[];
  };
}

/** Fewer questions show no quirk. */
const fewestQuestions = 50;

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

async function keepReferences(
  { store }: FingerprintPlace,
  { features, references }: ReferencePool,
  probes: ClassifierProbeSet,
  taken: TakenFingerprint,
  options: TakeProtectedOptions & { readonly ability: Ability },
): Promise<NonNullable<TakenProtected['references']>> {
  const { document } = await store.findFingerprint(taken.path);
  if (document.task !== 'classify') throw new RangeError('a classifier was asked');
  const own = unpackAnswers(document.answers);
  const answered = await answersOfReferences(references, features, probes, options);
  const { ability } = options;
  const weightOf = isComparable(ability) ? quirkWeight : () => 0;
  if (!isComparable(ability)) {
    const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
    options.onNotice?.(
      `The protected model is right on ${percent(ability.protectedModel)} of ${ability.questions} labelled questions, the reference models on ${percent(ability.least)} to ${percent(ability.most)}: they do not stand for models as able as it is, and every quirk is descriptive. Give them more labelled data, or data like its own.`,
    );
  }
  const quirks = quirkNulls(answered, own, probes, weightOf);
  const left = classifierQuirks.filter(
    ({ name }) => quirkWeight(name) > 0 && !quirks.some((quirk) => quirk.name === name),
  );
  if (left.length > 0) {
    const names = left.map(({ name }) => name).join(', ');
    options.onNotice?.(
      `The reference models are too unlike the protected model to say anything of ${names}, or it does not show it. They may need more labelled data.`,
    );
  }
  const kept: ReferenceNull = {
    schema: 'touchmark/fingerprint-references@1',
    fingerprint: taken.fingerprint,
    probeSet: taken.probeSet,
    createdAt: options.now().toISOString(),
    toolkit: await toolkitVersion(),
    ability,
    references: references.map(({ name, kind: data, part }) => ({ name, data, part })),
    quirks,
  };
  const { id, path } = await store.saveReferences(kept);
  const calibrating = (kind: 'same' | 'other') =>
    answered.filter((each) => each.part === 'calibrate' && each.kind === kind).length;
  const [same, other] = [calibrating('same'), calibrating('other')];
  return {
    ...{ id, path, same, other, smallestP: 1 / (Math.min(same, other) + 1) },
    trials: tryQuirks(quirks, answered, own, probes),
  };
}

/** Every tenth example of other data teaches no reference, and tells how able models are. */
const heldOutEvery = 10;
const mostHeldOut = 1000;

function otherDataOf({ otherData }: LabelledData): readonly LabelledQuestion[] {
  return otherData.filter((_, index) => index % heldOutEvery !== 0);
}

/** Asks the protected model the examples that no reference learnt from. */
async function measureAbility(
  classifier: Classifier,
  labels: readonly string[],
  { otherData }: LabelledData,
  { references, features }: ReferencePool,
  { signal, progress }: TakeProtectedOptions,
): Promise<Ability> {
  const held = otherData
    .filter(({ label }, index) => index % heldOutEvery === 0 && labels.includes(label))
    .slice(0, mostHeldOut);
  const questions = held.map(({ input }) => input);
  const clean = await askAllClean(classifier, questions, signal, progress);
  const answered = clean.map((row) => row.indexOf(Math.max(...row)));
  const expected = held.map(({ label }) => labels.indexOf(label));
  return abilityOf(questions, expected, answered, references, features);
}

/** The owner's questions that nobody was served and no other file of inputs has. */
async function readQuestions({ config }: Project): Promise<Input[]> {
  const { inputs, log } = config;
  const used = new Set<string>();
  for (const path of [inputs.twin, inputs.fresh, inputs.traps]) {
    const others = (await pathExists(path)) ? await readInputFile(path) : [];
    for (const input of others) used.add(digestOf(input));
  }
  await scanServingLog(log.directory, ({ input }) => {
    used.add(digestOf(input));
  });
  const all = (await pathExists(inputs.fingerprint)) ? await readInputFile(inputs.fingerprint) : [];
  const questions = all.filter((input) => !used.has(digestOf(input)));
  if (questions.length >= fewestQuestions) return questions;
  const left =
    all.length > questions.length
      ? `, ${all.length - questions.length} more were served or are in another file of inputs`
      : '';
  throw new TouchmarkError(
    'INPUT_INVALID',
    `${inputs.fingerprint} has ${questions.length} questions that can be asked${left}.`,
    {
      hint: `Put ${fewestQuestions} or more of your own there, like your traffic, better a thousand; one per line.`,
    },
  );
}

function digestOf(input: Input): string {
  return inputDigest(input).toString('hex');
}

function interrupted(): TouchmarkError {
  return new TouchmarkError('INTERRUPTED', 'The taking of the fingerprint was interrupted.', {
    hint: 'Run the same command again: trained models and answers are kept.',
  });
}
