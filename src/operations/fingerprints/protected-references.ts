import { type Ability, abilityOf, isComparable } from '../../audit/fingerprinting/ability.ts';
import {
  answersOfReferences,
  type QuirkTrial,
  quirkNulls,
  tryQuirks,
} from '../../audit/fingerprinting/reference-answers.ts';
import type { LabelledQuestion, ReferencePool } from '../../audit/reference-pool.ts';
import type { Classifier, Progress } from '../../contracts.ts';
import { unpackAnswers } from '../../fingerprints/classifier-answers.ts';
import type { ClassifierProbeSet } from '../../fingerprints/probe-set.ts';
import { quirkWeight } from '../../fingerprints/quirk-weights.ts';
import { classifierQuirks } from '../../fingerprints/quirks/registry.ts';
import type { ReferenceNull } from '../../fingerprints/reference-null.ts';
import { askAllClean } from '../../models/clean-answers.ts';
import { toolkitVersion } from '../../store/project-files.ts';
import type { LabelledData } from '../labelled-data.ts';
import type { FingerprintPlace } from './place.ts';
import type { TakenFingerprint } from './taking.ts';

/** Reference models that were asked a protected model's questions, in plain data. */
export interface KeptReferences {
  readonly id: string;
  readonly path: string;
  readonly same: number;
  readonly other: number;
  readonly smallestP: number;
  /** References that neither choose nor calibrate, tried as suspects. */
  readonly trials: readonly QuirkTrial[];
}

export interface KeepOptions {
  readonly ability: Ability;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
  /** Hears what keeps quirks descriptive. */
  readonly onNotice?: (text: string) => void;
}

/** Every tenth example of other data teaches no reference, and tells how able models are. */
const heldOutEvery = 10;
const mostHeldOut = 1000;

/** Returns the other data that references learn from. */
export function otherDataOf({ otherData }: LabelledData): readonly LabelledQuestion[] {
  return otherData.filter((_, index) => index % heldOutEvery !== 0);
}

/** Asks the protected model the examples that no reference learnt from, and says how able all are. */
export async function measureAbility(
  classifier: Classifier,
  labels: readonly string[],
  { otherData }: LabelledData,
  { references, features }: ReferencePool,
  { signal, progress }: Pick<KeepOptions, 'signal' | 'progress'>,
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

/**
 * Asks reference models the protected model's questions, and keeps where they stand in each quirk.
 * Where the protected model is not of their ability, every weight is 0.
 */
export async function keepReferences(
  { store }: FingerprintPlace,
  { features, references }: ReferencePool,
  probes: ClassifierProbeSet,
  taken: TakenFingerprint,
  options: KeepOptions,
): Promise<KeptReferences> {
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
