import type { Input } from '../../contracts.ts';
import { searchByGradient } from '../../models/search/gradient-search.ts';
import { labelsOf } from '../../models/training/layers.ts';
import { readRows } from '../../models/training/search-features.ts';
import type { SimulatedSurrogate } from '../../models/training/simulated-surrogates.ts';
import { type SeededRandom, seededRandom } from '../../stats/sampling.ts';
import { askProtected, drive, type ProtectedModel } from '../answer-collection.ts';
import { Bisection, type Pair } from './bisection.ts';
import {
  type Candidate,
  distinct,
  rateQuestions,
  referencesOf,
  surrogateGroups,
} from './candidates.ts';
import type { RegionModels } from './region-models.ts';
import { variationsOf } from './variations.ts';

export interface FindOptions {
  readonly protectedModel: ProtectedModel;
  readonly models: RegionModels;
  /** Distinct questions that nobody was ever asked. */
  readonly pool: readonly Input[];
  /** Decides whether a question must not become a trap, by the hexadecimal digest of its canonical form. */
  readonly exclude: (digest: string) => boolean;
  /** Traps wanted in the end. */
  readonly count: number;
  readonly seed: string;
}

/** Candidates for each trap that the protected model is asked about, and the least and most in all. */
const askedPerTrap = 100;
const leastAsked = 5000;
const mostAsked = 20_000;
/** Variations for each question of the pool, and in all. */
const variationsPerQuestion = 5;
const mostVariations = 60_000;
const screenedAtOnce = 8000;
/** Pairs for each trap, and the questions between two tensors. */
const pairsPerTrap = 16;
const leastPairs = 1000;
const mostPairs = 4000;
const depth = 6;
/** Starts of a gradient search for each trap, the least in all, and the references of a kind in it. */
const startsPerTrap = 8;
const leastStarts = 400;
const searchedReferences = 10;

/**
 * Returns the most promising questions of a pool and of its variations, with the protected model's
 * answers. What is promising is decided by surrogates and references alone, with the surrogates'
 * commonest label in the protected model's place; only those are asked.
 */
export async function candidatesOfPool(options: FindOptions): Promise<Candidate[]> {
  const { protectedModel, models, pool, exclude, count, seed } = options;
  const guesses = guessesOf(models, pool, protectedModel.signal);
  const most = Math.min(mostVariations, variationsPerQuestion * pool.length);
  const random = seededRandom(`${seed}/variations`);
  const variations = variationsOf(pool, guesses, { most, random });
  const all = distinct([...pool, ...variations], exclude);
  const asked = Math.min(mostAsked, Math.max(leastAsked, askedPerTrap * count));
  const screened = all.length <= asked ? all : screen(options, all).slice(0, asked);
  return answered(protectedModel, screened);
}

/**
 * Returns questions near the protected model's boundaries, by bisection between questions of the pool
 * that it answers differently; all that was asked on the way may become a trap.
 */
export async function candidatesByBisection(options: FindOptions): Promise<Candidate[]> {
  const { protectedModel, pool, exclude, count, seed } = options;
  const random = seededRandom(`${seed}/bisection`);
  const ends = await answered(
    protectedModel,
    random.choose(pool, Math.min(pool.length, mostPairs)),
  );
  const wanted = Math.min(mostPairs, Math.max(leastPairs, pairsPerTrap * count));
  const run = new Bisection(pairsOf(ends, wanted, random), protectedModel.labels, depth);
  await drive(protectedModel, run, 'labels', wanted * depth);
  const kept = new Set(
    distinct(
      run.questions.map(({ input }) => input),
      exclude,
    ),
  );
  return run.questions.filter(({ input }) => kept.has(input));
}

/** A search's tensors with the protected model's answers, and the surrogates that took no part in it. */
export interface SearchedCandidates {
  readonly candidates: readonly Candidate[];
  readonly surrogates: readonly SimulatedSurrogate[];
}

/**
 * Returns tensors that a gradient search through surrogates and references made of those of the pool.
 * The half of the selecting surrogates that it did not go through is left to rate them.
 *
 * @param pool tensors only
 */
export async function candidatesByGradient(options: FindOptions): Promise<SearchedCandidates> {
  const { protectedModel, models, exclude, count, seed } = options;
  const { signal, progress } = protectedModel;
  const random = seededRandom(`${seed}/gradient`);
  const tensors = options.pool.filter((input) => typeof input !== 'string');
  const wanted = Math.min(tensors.length, Math.max(leastStarts, startsPerTrap * count));
  const groups = [...surrogateGroups(models.surrogates, 'select').values()];
  const inside = new Set(groups.flatMap((group) => group.slice(0, Math.ceil(group.length / 2))));
  const networks = (kind: 'same' | 'other') =>
    referencesOf(models, kind, 'select')
      .filter(({ family }) => family.startsWith('network-'))
      .slice(0, searchedReferences)
      .map(({ layers }) => layers);
  const { features } = models;
  if (features.kind !== 'tensor') return { candidates: [], surrogates: [] };
  const found = await searchByGradient(random.choose(tensors, wanted), {
    features,
    surrogates: [...inside].map(({ layers }) => layers),
    references: [networks('same'), networks('other')],
    signal,
    ...(progress && {
      progress: (done, total) => progress('searching by gradient', done, total),
    }),
  });
  return {
    candidates: await answered(protectedModel, distinct(found, exclude)),
    surrogates: models.surrogates.filter((each) => each.part === 'select' && !inside.has(each)),
  };
}

/** Asks the protected model; questions without an answer are left out. */
export async function answered(
  protectedModel: ProtectedModel,
  inputs: readonly Input[],
): Promise<Candidate[]> {
  const answers = await askProtected(protectedModel, inputs, 'labels');
  return inputs.flatMap((input, index) => {
    const answer = answers[index];
    return answer === undefined ? [] : [{ input, label: answer.label }];
  });
}

function pairsOf(ends: readonly Candidate[], wanted: number, random: SeededRandom): Pair[] {
  const pairs: Pair[] = [];
  for (let draw = 0; pairs.length < wanted && draw < 4 * wanted && ends.length > 1; draw += 1) {
    const [from, to] = [ends[random.integer(ends.length)]!, ends[random.integer(ends.length)]!];
    if (from.label !== to.label) pairs.push({ from, to });
  }
  return pairs;
}

/** Orders questions by how well surrogates' commonest label tells them from references. */
function screen({ models, protectedModel }: FindOptions, inputs: readonly Input[]): Input[] {
  const rated = chunksOf(inputs).flatMap((part) => {
    protectedModel.signal.throwIfAborted();
    const guesses = guessesOf(models, part, protectedModel.signal);
    const candidates = part.map((input, index) => ({
      input,
      label: models.labels[guesses[index]!]!,
    }));
    return rateQuestions(models, candidates);
  });
  return rated
    .sort((left, right) => right.rating.divergence - left.rating.divergence)
    .map(({ input }) => input);
}

/** Returns the label that most surrogates give; every recipe has one vote for each of its models. */
function guessesOf(models: RegionModels, inputs: readonly Input[], signal: AbortSignal): number[] {
  const voters = [...surrogateGroups(models.surrogates, 'select').values()].flat();
  return chunksOf(inputs).flatMap((part) => {
    signal.throwIfAborted();
    const votes = labelsOf(
      voters.map(({ layers }) => layers),
      readRows(models.features, part),
    );
    return part.map((_, index) => {
      const counts = new Uint16Array(models.labels.length);
      for (const labels of votes) counts[labels[index]!]! += 1;
      return counts.indexOf(counts.reduce((most, each) => Math.max(most, each)));
    });
  });
}

function chunksOf(inputs: readonly Input[]): Input[][] {
  return Array.from({ length: Math.ceil(inputs.length / screenedAtOnce) }, (_, chunk) =>
    inputs.slice(chunk * screenedAtOnce, (chunk + 1) * screenedAtOnce),
  );
}
