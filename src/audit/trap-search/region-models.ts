import type { Input } from '../../contracts.ts';
import type { ModelCache } from '../../models/training/model-cache.ts';
import { type ReferenceModel, trainReferences } from '../../models/training/reference-models.ts';
import { searchFeatures } from '../../models/training/search-features.ts';
import {
  type SimulatedSurrogate,
  trainSurrogates,
} from '../../models/training/simulated-surrogates.ts';
import { seededRandom } from '../../stats/sampling.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import { askProtected, interrupted, type ProtectedModel } from './answer-collection.ts';

/** A question and the name of the class that it truly has. */
export interface LabelledQuestion {
  readonly input: Input;
  readonly label: string;
}

export interface RegionModelsOptions {
  readonly protectedModel: ProtectedModel;
  /** The protected model's training data; labels outside its set are left out. */
  readonly sameData: readonly LabelledQuestion[];
  /** Labelled data of the same trade that it never saw. */
  readonly otherData: readonly LabelledQuestion[];
  /** The owner's own questions that simulated surrogates learn from. */
  readonly questions: readonly Input[];
  /**
   * References of each kind, 120 by default. A third of them calibrates: from 57 on the first rank has
   * p <= .05, and from 117 on the second has, too.
   */
  readonly referencesPerKind?: number;
  /** How references and surrogates read inputs; hashed n-grams, or values standardised over the labelled data. */
  readonly features?: FeatureMap;
  readonly seed?: string;
  readonly cache?: ModelCache;
}

/** All that stands between candidates and traps. */
export interface RegionModels {
  readonly labels: readonly string[];
  readonly features: FeatureMap;
  /** Of both kinds and all three parts. */
  readonly references: readonly ReferenceModel[];
  /** Those that choose and those that measure. */
  readonly surrogates: readonly SimulatedSurrogate[];
}

const usualReferencesPerKind = 120;
/** More examples or questions, a random choice of which is taken, teach hardly more. */
const most = 20_000;

/**
 * Trains the references of both kinds, and surrogates on the protected model's own answers. What was
 * trained or answered before is taken from the cache and from the run log.
 *
 * @throws TouchmarkError INTERRUPTED, UPSTREAM_FAILED, UPSTREAM_ANSWER_INVALID
 */
export async function trainRegionModels(options: RegionModelsOptions): Promise<RegionModels> {
  const { protectedModel, seed = 'region', cache } = options;
  const { labels, signal, progress } = protectedModel;
  const random = seededRandom(`${seed}/enough`);
  const enough = <Item>(items: readonly Item[]) =>
    items.length > most ? random.choose(items, most) : items;
  const data = {
    same: enough(known(options.sameData, labels)),
    other: enough(known(options.otherData, labels)),
  };
  const questions = enough(options.questions);
  const features =
    options.features ?? searchFeatures([...data.same, ...data.other].map(({ input }) => input));
  const common = {
    features,
    seed,
    signal,
    ...(cache && { cache }),
    ...(progress && { progress }),
  };
  const answers = await askProtected(protectedModel, questions, 'probabilities');
  try {
    const references: ReferenceModel[] = [];
    for (const kind of ['same', 'other'] as const) {
      const count = options.referencesPerKind ?? usualReferencesPerKind;
      const own = { kind, examples: data[kind], classes: labels.length, count };
      references.push(...(await trainReferences({ ...common, ...own })));
    }
    const answered = questions.flatMap((input, index) => {
      const answer = answers[index];
      return answer === undefined ? [] : [{ input, answer }];
    });
    const surrogates = await trainSurrogates({
      ...common,
      labels,
      questions: answered.map(({ input }) => input),
      answers: answered.map(({ answer }) => answer),
    });
    return { labels, features, references, surrogates };
  } catch (cause) {
    throw signal.aborted ? interrupted() : cause;
  }
}

function known(data: readonly LabelledQuestion[], labels: readonly string[]) {
  const numbers = new Map(labels.map((label, index) => [label, index]));
  return data.flatMap(({ input, label }) => {
    const number = numbers.get(label);
    return number === undefined ? [] : [{ input, label: number }];
  });
}
