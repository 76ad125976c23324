import type { Input, Progress } from '../../contracts.ts';
import type { ClassifierAnswers } from '../../fingerprints/classifier-answers.ts';
import type { ClassifierProbeSet } from '../../fingerprints/probe-set.ts';
import { classifierQuirks } from '../../fingerprints/quirks/registry.ts';
import { randomAnswers } from '../../fingerprints/random-answers.ts';
import {
  packStandard,
  type QuirkNull,
  quirkRanker,
  standardOf,
} from '../../fingerprints/reference-null.ts';
import {
  DeviationFilter,
  distancesOf,
  isFar,
  rankedShare,
  referenceStandard,
} from '../../fingerprints/reference-standard.ts';
import { type Layers, labelsOf, probabilitiesOf } from '../../models/training/layers.ts';
import type {
  ReferenceKind,
  ReferenceModel,
  ReferencePart,
} from '../../models/training/reference-models.ts';
import { readRows } from '../../models/training/search-features.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import { answersOfModel, questionsOf } from './model-answers.ts';

/** A reference model and its answers to a probe set. */
export interface AnsweredReference extends Pick<ReferenceModel, 'name' | 'kind' | 'part'> {
  readonly answers: ClassifierAnswers;
}

/** Models that answer at random, whose mean is what chance looks like. */
const randomModels = 24;
/** Models whose questions are read once for all of them. */
const modelsAtOnce = 16;

/** Puts a probe set to reference models, in order. An abort is noticed between models. */
export async function answersOfReferences(
  references: readonly ReferenceModel[],
  features: FeatureMap,
  probes: ClassifierProbeSet,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress?: Progress },
): Promise<AnsweredReference[]> {
  const rows = readRows(features, questionsOf(probes));
  const answered: AnsweredReference[] = [];
  for (let from = 0; from < references.length; from += modelsAtOnce) {
    const some = references.slice(from, from + modelsAtOnce);
    const models = some.map(({ layers }) => layers);
    const labels = labelsOf(models, rows);
    const probabilities = probabilitiesOf(models, rows);
    for (const [index, { name, kind, part, layers }] of some.entries()) {
      signal.throwIfAborted();
      const known = { labels: labels[index]!, probabilities: probabilities[index]! };
      const answers = await answersOfModel(predictor(layers, features), probes, known);
      answered.push({ name, kind, part, answers });
      progress?.('asking reference models', answered.length, references.length);
    }
  }
  return answered;
}

/** Returns the votes of models for each class, question by question. */
export function votesOf(models: readonly Layers[], features: FeatureMap, classes: number) {
  return (inputs: readonly Input[]): Uint16Array[] => {
    const votes = inputs.map(() => new Uint16Array(classes));
    for (const labels of labelsOf(models, readRows(features, inputs))) {
      labels.forEach((label, question) => {
        votes[question]![label]! += 1;
      });
    }
    return votes;
  };
}

/**
 * Returns what suspects are ranked among: a standard from the references that select, and the
 * statistics of those that calibrate. A quirk in which the protected model is as far from references as
 * chance is left out: such references stand for nobody who does the same work.
 *
 * @param weightOf the sealed weight of a quirk by its name
 */
export function quirkNulls(
  references: readonly AnsweredReference[],
  protectedModel: ClassifierAnswers,
  probes: ClassifierProbeSet,
  weightOf: (name: string) => number,
): QuirkNull[] {
  const random = Array.from({ length: randomModels }, (_, index) =>
    randomAnswers(probes, `chance/${index}`),
  );
  return classifierQuirks.flatMap((quirk): QuirkNull[] => {
    const { name } = quirk;
    const own = quirk.extract(protectedModel, probes);
    const numbersOf = (kind: ReferenceKind, part: ReferencePart) =>
      references
        .filter((each) => each.kind === kind && each.part === part)
        .flatMap(({ answers }) => quirk.extract(answers, probes) ?? []);
    const selecting = { same: numbersOf('same', 'select'), other: numbersOf('other', 'select') };
    const known = (kind: ReferenceKind) => selecting[kind].filter((_, index) => !isHeld(index));
    const held = Object.values(selecting).map((all) => all.filter((_, at) => isHeld(at)));
    if (own === undefined || held.some(({ length }) => length === 0)) return [];
    const chance = random.flatMap((answers) => quirk.extract(answers, probes) ?? []);
    const packed = packStandard(referenceStandard(known('same'), known('other'), chance));
    const filter = new DeviationFilter(own, standardOf(packed));
    const distances = distancesOf(filter, held, chance);
    if (isFar(filter, own, distances)) return [];
    const copy = filter.sharedBy(own);
    const statistics = (kind: ReferenceKind) =>
      numbersOf(kind, 'calibrate').map((each) => rankedShare(filter, each, distances, copy));
    const found = { same: statistics('same'), other: statistics('other') };
    return [{ name, weight: weightOf(name), ...packed, distances, ...found }];
  });
}

/** Every fourth of the references that select says how far references reach which are in no mean. */
function isHeld(index: number): boolean {
  return index % 4 === 3;
}

/** How many test references a quirk would accuse at p <= .05. */
export interface QuirkTrial {
  readonly name: string;
  readonly models: number;
  readonly accused: number;
}

/** Ranks the references that neither select nor calibrate as if they were suspects. */
export function tryQuirks(
  quirks: readonly QuirkNull[],
  references: readonly AnsweredReference[],
  protectedModel: ClassifierAnswers,
  probes: ClassifierProbeSet,
): QuirkTrial[] {
  const tests = references.filter(({ part }) => part === 'test');
  const trials = new Map(quirks.map(({ name }) => [name, { models: 0, accused: 0 }]));
  const rank = quirkRanker(quirks, protectedModel, probes);
  for (const { answers } of tests) {
    for (const { name, suspect } of rank(answers)) {
      if (suspect === undefined) continue;
      const trial = trials.get(name)!;
      trial.models += 1;
      if (Math.max(suspect.amongSame.p, suspect.amongOther.p) <= 0.05) trial.accused += 1;
    }
  }
  return [...trials].map(([name, trial]) => ({ name, ...trial }));
}

function predictor(layers: Layers, features: FeatureMap) {
  return (inputs: readonly Input[]) => {
    const rows = readRows(features, inputs);
    return {
      labels: labelsOf([layers], rows)[0]!,
      probabilities: probabilitiesOf([layers], rows)[0]!,
    };
  };
}
