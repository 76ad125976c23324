import { type Ability, abilityOf } from '../../src/audit/fingerprinting/ability.ts';
import { buildProbeSet } from '../../src/audit/fingerprinting/build-probe-set.ts';
import { answersOfModel } from '../../src/audit/fingerprinting/model-answers.ts';
import {
  answersOfReferences,
  quirkNulls,
  tryQuirks,
  votesOf,
} from '../../src/audit/fingerprinting/reference-answers.ts';
import type { ReferencePool } from '../../src/audit/reference-pool.ts';
import type { Progress } from '../../src/contracts.ts';
import type { ClassifierAnswers } from '../../src/fingerprints/classifier-answers.ts';
import type { ClassifierProbeSet } from '../../src/fingerprints/probe-set.ts';
import { type QuirkNull, quirkRanker } from '../../src/fingerprints/reference-null.ts';
import type { ModelCache } from '../../src/models/training/model-cache.ts';
import {
  type ReferenceModel,
  trainReferences,
} from '../../src/models/training/reference-models.ts';
import { searchFeatures } from '../../src/models/training/search-features.ts';
import type { FeatureMap } from '../../src/watermark/classifier-profile.ts';
import type { MemberPlan } from '../zoo/manifest.ts';
import { type Member, openMember } from '../zoo/open-member.ts';
import type { Truth, ZooModel } from '../zoo/zoo-model.ts';

/** How one model of the zoo stands in one quirk. */
export interface QuirkFinding {
  readonly quirk: string;
  readonly statistic: number;
  readonly pSame: number;
  readonly pOther: number;
  /** log10 of the smaller e-value. */
  readonly log10E: number;
}

/** How one model of the zoo stands in all quirks that its answers show. */
export interface ModelFinding {
  readonly id: string;
  readonly truth: Truth;
  readonly kind: string;
  readonly familiar: boolean;
  readonly quirks: readonly QuirkFinding[];
}

/** What was measured on one member of the zoo. */
export interface MemberFindings {
  readonly plan: MemberPlan;
  readonly references: { readonly same: number; readonly other: number };
  /** On traffic that nobody learnt from; outside of the references' range no quirk counts. */
  readonly ability: Ability;
  readonly models: readonly ModelFinding[];
}

export interface MeasureOptions {
  readonly plan: MemberPlan;
  /** References of each kind, a third of which calibrate. */
  readonly referencesPerKind: number;
  readonly questions: number;
  readonly pairs: number;
  readonly cache: ModelCache;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** A member of the zoo, its protected model's fingerprint and what suspects are ranked among. */
export interface FingerprintedMember {
  readonly member: Member;
  readonly probes: ClassifierProbeSet;
  readonly protectedAnswers: ClassifierAnswers;
  readonly nulls: readonly QuirkNull[];
  readonly ability: Ability;
}

/** As many as the zoo's independents learn from. */
const mostExamples = 4000;

/** Trains the references of a member as the library does, on the data that its independents learn from. */
export async function trainMemberReferences(
  { scene }: Pick<Member, 'scene'>,
  { plan, referencesPerKind, cache, signal, progress }: MeasureOptions,
): Promise<ReferencePool> {
  const features =
    scene.features ?? searchFeatures([...scene.training.inputs, ...scene.other.inputs]);
  const references: ReferenceModel[] = [];
  for (const kind of ['same', 'other'] as const) {
    const { inputs, labels } = kind === 'same' ? scene.training : scene.other;
    const examples = inputs
      .slice(0, mostExamples)
      .map((input, index) => ({ input, label: labels[index]! }));
    const own = { kind, examples, count: referencesPerKind, seed: `${plan.number}/region` };
    references.push(
      ...(await trainReferences({
        ...{ ...own, features, classes: scene.labels.length, cache, signal, progress },
      })),
    );
  }
  return { features, references };
}

/** Takes the fingerprint of a member's protected model, as an owner would. */
export async function fingerprintMember(options: MeasureOptions): Promise<FingerprintedMember> {
  const { plan, questions, pairs, cache, signal, progress } = options;
  const member = await openMember({ ...plan, cache, signal, progress });
  const { scene, protectedModel } = member;
  const { features, references } = await trainMemberReferences(member, options);
  const choosing = references.filter(({ part }) => part === 'select').map(({ layers }) => layers);
  const probes = buildProbeSet({
    name: `${plan.task} ${plan.number}`,
    labels: scene.labels,
    candidates: scene.pool.map((input) => ({ input })),
    count: questions,
    pairs,
    votes: votesOf(choosing, features, scene.labels.length),
    seed: `${plan.number}`,
  });
  const protectedAnswers = await answersOf(protectedModel, probes);
  const answered = await answersOfReferences(references, features, probes, { signal, progress });
  const nulls = quirkNulls(answered, protectedAnswers, probes, () => 0);
  for (const { name, models, accused } of tryQuirks(nulls, answered, protectedAnswers, probes))
    progress(`${name}: ${accused} test references accused`, models, models);
  const ability = abilityOn(member, references, features);
  return { member, probes, protectedAnswers, nulls, ability };
}

/** Measures how able a protected model and its references are, on traffic. */
export function abilityOn(
  { scene, protectedModel }: Pick<Member, 'scene' | 'protectedModel'>,
  references: readonly ReferenceModel[],
  features: FeatureMap,
): Ability {
  const { inputs, labels } = scene.traffic;
  const answered = Array.from(protectedModel.label(inputs), (label) => label ?? -1);
  return abilityOf(inputs, labels, answered, references, features);
}

/** Ranks every independent and every surrogate of a member, quirk by quirk. */
export async function measureMember(options: MeasureOptions): Promise<MemberFindings> {
  const { plan, signal, progress } = options;
  const { member, probes, protectedAnswers, nulls, ability } = await fingerprintMember(options);
  const rank = quirkRanker(nulls, protectedAnswers, probes);
  const models: ModelFinding[] = [];
  const all = [...member.independents, ...member.surrogates];
  for (const model of all) {
    signal.throwIfAborted();
    const { id, truth, kind, familiar } = model;
    const quirks = rank(await answersOf(model, probes)).flatMap(({ name, suspect }) =>
      suspect === undefined
        ? []
        : [
            {
              ...{ quirk: name, statistic: suspect.statistic, log10E: suspect.log10E },
              ...{ pSame: suspect.amongSame.p, pOther: suspect.amongOther.p },
            },
          ],
    );
    models.push({ id, truth, kind, familiar, quirks });
    progress(`${plan.task}/${plan.number}: fingerprints`, models.length, all.length);
  }
  const [{ same, other } = { same: [], other: [] }] = nulls;
  return { plan, references: { same: same.length, other: other.length }, ability, models };
}

/** Puts a probe set to a model of the zoo. */
export function answersOf(model: ZooModel, probes: ClassifierProbeSet): Promise<ClassifierAnswers> {
  return answersOfModel((inputs) => {
    const probabilities = model.probabilities?.(inputs);
    return { labels: model.label(inputs), ...(probabilities && { probabilities }) };
  }, probes);
}
