import type { Input } from '../../contracts.ts';
import type { ReferenceModel } from '../../models/training/reference-models.ts';
import {
  type SimulatedSurrogate,
  trainSurrogates,
} from '../../models/training/simulated-surrogates.ts';
import type { FeatureMap } from '../../watermark/classifier-profile.ts';
import { askProtected, interrupted, type ProtectedModel } from '../answer-collection.ts';
import {
  enoughOf,
  type ReferencePoolOptions,
  trainReferencePool,
  usualPoolSeed,
} from '../reference-pool.ts';

export interface RegionModelsOptions
  extends Omit<ReferencePoolOptions, 'labels' | 'signal' | 'progress'> {
  readonly protectedModel: ProtectedModel;
  /** The owner's own questions that simulated surrogates learn from. */
  readonly questions: readonly Input[];
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

/**
 * Trains the references of both kinds, and surrogates on the protected model's own answers. What was
 * trained or answered before is taken from the cache and from the run log.
 *
 * @throws TouchmarkError INTERRUPTED, UPSTREAM_FAILED, UPSTREAM_ANSWER_INVALID
 */
export async function trainRegionModels(options: RegionModelsOptions): Promise<RegionModels> {
  const { protectedModel, seed = usualPoolSeed, cache } = options;
  const { labels, signal, progress } = protectedModel;
  const questions = enoughOf(`${seed}/questions`)(options.questions);
  const answers = await askProtected(protectedModel, questions, 'probabilities');
  const own = { labels, seed, signal, ...(cache && { cache }), ...(progress && { progress }) };
  try {
    const { features, references } = await trainReferencePool({ ...options, ...own });
    const answered = questions.flatMap((input, index) => {
      const answer = answers[index];
      return answer === undefined ? [] : [{ input, answer }];
    });
    const surrogates = await trainSurrogates({
      ...{ ...own, features },
      questions: answered.map(({ input }) => input),
      answers: answered.map(({ answer }) => answer),
    });
    return { labels, features, references, surrogates };
  } catch (cause) {
    throw signal.aborted ? interrupted() : cause;
  }
}
