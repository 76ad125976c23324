import type { Input } from '../../contracts.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { type Layers, labelsOf } from '../../models/training/layers.ts';
import type { ReferenceModel, ReferencePart } from '../../models/training/reference-models.ts';
import { readRows } from '../../models/training/search-features.ts';
import type { SimulatedSurrogate } from '../../models/training/simulated-surrogates.ts';
import {
  type Agreement,
  type RatedCandidate,
  rateCandidates,
} from '../../traps/kinds/region-selection.ts';
import type { RegionModels } from './region-models.ts';

/** A question that may become a trap, and the protected model's answer to it. */
export interface Candidate {
  readonly input: Input;
  readonly label: string;
}

/** A candidate and how well it tells simulated surrogates from references. */
export interface RatedQuestion extends Candidate {
  readonly rating: RatedCandidate;
}

/** Below this a group of references says too little by itself, and joins the others of its kind. */
const smallestGroup = 5;
const smallFamilies = new Set(['network-0', 'network-24', 'naive-bayes', 'perceptron']);

/** Leaves out repeated questions, and those that `exclude` names. */
export function distinct(
  inputs: readonly Input[],
  exclude: (digest: string) => boolean = () => false,
): Input[] {
  const seen = new Set<string>();
  return inputs.filter((input) => {
    const digest = inputDigest(input).toString('hex');
    if (seen.has(digest) || exclude(digest)) return false;
    seen.add(digest);
    return true;
  });
}

/** Returns the groups of references that select: by kind, and by size where there are enough. */
export function selectingGroups(references: readonly ReferenceModel[]): ReferenceModel[][] {
  const own = references.filter(({ part }) => part === 'select');
  return (['same', 'other'] as const).flatMap((kind) => {
    const models = own.filter((model) => model.kind === kind);
    const small = models.filter(({ family }) => smallFamilies.has(family));
    const large = models.filter(({ family }) => !smallFamilies.has(family));
    return Math.min(small.length, large.length) < smallestGroup ? [models] : [small, large];
  });
}

/** Returns the surrogates of one part, by recipe. */
export function surrogateGroups(
  surrogates: readonly SimulatedSurrogate[],
  part: SimulatedSurrogate['part'],
): ReadonlyMap<string, readonly SimulatedSurrogate[]> {
  const groups = new Map<string, SimulatedSurrogate[]>();
  for (const surrogate of surrogates.filter((each) => each.part === part)) {
    const group = groups.get(surrogate.recipe) ?? [];
    group.push(surrogate);
    groups.set(surrogate.recipe, group);
  }
  return groups;
}

/**
 * Rates candidates by the surrogates and references that select, best first; candidates on which no
 * more surrogates than references agree are left out.
 *
 * @param surrogates those that choose; a search leaves out the ones that it went through
 */
export function rateQuestions(
  models: RegionModels,
  candidates: readonly Candidate[],
  surrogates: readonly SimulatedSurrogate[] = models.surrogates,
): RatedQuestion[] {
  if (candidates.length === 0) return [];
  const recipes = [...surrogateGroups(surrogates, 'select').values()];
  const groups = [...recipes, ...selectingGroups(models.references)];
  const flat = groups.flatMap((group) => group.map(({ layers }) => layers));
  const agreement = agreementsOf(models, flat, candidates)[Symbol.iterator]();
  const parts = groups.map((group) => group.map(() => agreement.next().value as Uint8Array));
  const rated = rateCandidates({
    surrogates: parts.slice(0, recipes.length),
    references: parts.slice(recipes.length),
  });
  return rated.map((rating) => ({ ...candidates[rating.candidate]!, rating }));
}

/** Returns whether each model gives each candidate the protected model's label. */
export function agreementsOf(
  { labels, features }: Pick<RegionModels, 'labels' | 'features'>,
  models: readonly Layers[],
  candidates: readonly Candidate[],
): Agreement {
  const rows = readRows(
    features,
    candidates.map(({ input }) => input),
  );
  const wanted = candidates.map(({ label }) => labels.indexOf(label));
  return labelsOf(models, rows).map((own) =>
    Uint8Array.from(own, (label, index) => Number(label === wanted[index])),
  );
}

/** Returns the references of one kind and part. */
export function referencesOf(
  { references }: Pick<RegionModels, 'references'>,
  kind: ReferenceModel['kind'],
  part: ReferencePart,
): ReferenceModel[] {
  return references.filter((model) => model.kind === kind && model.part === part);
}
