import { createHash } from 'node:crypto';
import type { Answer, Input, Progress } from '../../contracts.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { seededRandom } from '../../stats/sampling.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import type { Layers } from './layers.ts';
import { cachedModel, type ModelCache } from './model-cache.ts';
import { type ModelFamily, oneHot, type TrainingData, trainFamily } from './model-families.ts';
import { keyOf } from './reference-models.ts';
import { featureDimensions, readRows } from './search-features.ts';

/** A model that learnt from the protected model's answers, as a thief's would. */
export interface SimulatedSurrogate {
  /** Answers as labels or as probabilities, the family, and `few` when it had few of them. */
  readonly recipe: string;
  /** Those that choose traps do not measure what the chosen ones are worth. */
  readonly part: 'select' | 'measure';
  readonly layers: Layers;
}

export interface SurrogateOptions {
  /** The owner's own questions; never logged ones. */
  readonly questions: readonly Input[];
  /** The protected model's own answers to them, never served ones. */
  readonly answers: readonly Answer[];
  readonly labels: readonly string[];
  readonly features: FeatureMap;
  readonly seed: string;
  readonly cache?: ModelCache;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

interface Recipe {
  readonly soft: boolean;
  readonly family: ModelFamily;
  readonly few: boolean;
  readonly count: number;
}

const hidden = [0, 24, 64, 128, 256] as const;
const families = hidden.map((units): ModelFamily => `network-${units}`);
const recipe = (soft: boolean, family: ModelFamily, few: boolean, count: number): Recipe => ({
  soft,
  family,
  few,
  count,
});

/** Labels teach less than probabilities: most of those that choose learn from labels. */
const selecting: readonly Recipe[] = [
  ...families.map((family) => recipe(false, family, false, 4)),
  recipe(false, 'network-64', true, 4),
  recipe(true, 'network-64', false, 4),
  recipe(true, 'network-0', false, 2),
];
const measuring: readonly Recipe[] = [
  ...families.flatMap((family) => [
    recipe(false, family, false, 1),
    recipe(true, family, false, 1),
  ]),
  recipe(false, 'network-64', true, 1),
  recipe(true, 'network-64', true, 1),
];

/** Most questions that one surrogate learns from, the share of its half, and the share when few. */
const mostQuestions = 4000;
const usualShare = 0.9;
const fewShare = 0.3;

/**
 * Trains surrogates on the protected model's answers to the owner's questions: on labels and, where
 * there are probabilities, on those; networks of several sizes, each on a random part of one half
 * of the questions. One half serves those that choose traps, the other those that measure.
 */
export async function trainSurrogates(options: SurrogateOptions): Promise<SimulatedSurrogate[]> {
  const { questions, answers, labels, features, seed, cache, signal, progress } = options;
  const known = questions.flatMap((input, index) => {
    const answer = answers[index]!;
    return labels.includes(answer.label) ? [{ input, answer }] : [];
  });
  const isSoft = known.every(({ answer }) => answer.probabilities !== undefined);
  const order = seededRandom(`${seed}/halves`).shuffle(known.map((_, index) => index));
  const middle = Math.ceil(order.length / 2);
  const halves = { select: order.slice(0, middle), measure: order.slice(middle) };
  const jobs = [
    ...selecting.map((each) => ({ ...each, part: 'select' as const })),
    ...measuring.map((each) => ({ ...each, part: 'measure' as const })),
  ]
    .filter(({ soft }) => isSoft || !soft)
    .flatMap((each) => Array.from({ length: each.count }, (_, index) => ({ ...each, index })));
  const digest = answersDigest(known, labels, features);
  const data = lazily(() => dataOf(known, labels, features));
  const surrogates: SimulatedSurrogate[] = [];
  for (const { soft, family, few, part, index } of jobs) {
    signal.throwIfAborted();
    const name = `${soft ? 'probabilities' : 'labels'}/${family}${few ? '/few' : ''}`;
    const own = `${seed}/${part}/${name}/${index}`;
    const layers = await cachedModel(cache, keyOf(['surrogate', digest, own]), () => {
      const half = halves[part];
      const size = Math.min(mostQuestions, Math.ceil(half.length * (few ? fewShare : usualShare)));
      const sample = Uint32Array.from(seededRandom(`${own}/sample`).choose(half, size));
      const { soft: softData, hard } = data();
      return trainFamily(family, soft ? softData : hard, { seed: own, sample, signal });
    });
    surrogates.push({ recipe: name, part, layers });
    progress?.('training simulated surrogates', surrogates.length, jobs.length);
  }
  return surrogates;
}

interface Answered {
  readonly input: Input;
  readonly answer: Answer;
}

function dataOf(
  known: readonly Answered[],
  labels: readonly string[],
  features: FeatureMap,
): { readonly soft: TrainingData; readonly hard: TrainingData } {
  const classes = labels.length;
  const common = {
    rows: readRows(
      features,
      known.map(({ input }) => input),
    ),
    dimensions: featureDimensions(features),
    classes,
    signed: features.kind === 'tensor',
  };
  const hard = oneHot(
    known.map(({ answer }) => labels.indexOf(answer.label)),
    classes,
  );
  const soft = hard.slice();
  known.forEach(({ answer: { probabilities } }, row) => {
    if (probabilities !== undefined) soft.set(probabilities, row * classes);
  });
  return { soft: { ...common, targets: soft }, hard: { ...common, targets: hard } };
}

function answersDigest(
  known: readonly Answered[],
  labels: readonly string[],
  features: FeatureMap,
): string {
  const hash = createHash('sha256').update(JSON.stringify([features, labels]));
  for (const { input, answer } of known) {
    hash.update(inputDigest(input)).update(JSON.stringify([answer.label, answer.probabilities]));
  }
  return hash.digest('hex');
}

function lazily<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
